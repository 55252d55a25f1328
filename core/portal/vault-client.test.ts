import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import type { HttpRequest, HttpResponse } from "../edge/http-link.ts";
import { Failure } from "../failure.ts";
import { RELAY_HEADER } from "./portal.ts";
import { changedEntries, removeEntry, type VaultAccess, vaultDevices } from "./vault-client.ts";

const name = Buffer.from(noise(16, "entry")).toString("base64url");

/** A relay that gives these answers, the last one again and again. */
function relayThat(...answers: readonly unknown[]): { access: VaultAccess; requests: HttpRequest[] } {
  const requests: HttpRequest[] = [];
  const send = (request: HttpRequest): Promise<HttpResponse> => {
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    const bytes = new Uint8Array(Buffer.from(JSON.stringify(answer)));
    return Promise.resolve({
      status: 200,
      header: (header) => (header === RELAY_HEADER ? "1" : null),
      bytes: () => Promise.resolve(bytes),
    });
  };
  return { access: { send, vault: noise(16, "vault"), token: noise(32, "token") }, requests };
}

function entry(number: number): { entry: string; number: number; sealed: string | null } {
  return { entry: name, number, sealed: number % 2 === 0 ? null : "AAAA" };
}

async function numbersOf(access: VaultAccess, after: number): Promise<number[]> {
  const numbers: number[] = [];
  for await (const page of changedEntries(access, after)) numbers.push(...page.map(({ number }) => number));
  return numbers;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "accepted";
  } catch (error) {
    return error instanceof Failure ? error.code : `not a failure: ${String(error)}`;
  }
}

describe("a vault's client", () => {
  it("[VAULT-14] reads page after page until the last change", async () => {
    const { access, requests } = relayThat(
      { entries: [entry(4), entry(7)], last: 9 },
      { entries: [entry(9)], last: 9 },
    );
    expect(await numbersOf(access, 3)).toEqual([4, 7, 9]);
    expect(requests.map(({ path }) => path.split("?")[1])).toEqual(["after=3", "after=7"]);
  });

  it("does not ask for ever when a relay's numbers do not grow", async () => {
    const { access, requests } = relayThat({ entries: [entry(5)], last: 1000 });
    expect(await numbersOf(access, 5)).toEqual([5]);
    expect(requests).toHaveLength(1);
    const empty = relayThat({ entries: [], last: 1000 });
    expect(await numbersOf(empty.access, 5)).toEqual([]);
    expect(empty.requests).toHaveLength(1);
  });

  it("removes an entry by its name", async () => {
    const { access, requests } = relayThat({ number: 5 });
    await removeEntry(access, name);
    expect(requests).toMatchObject([{ method: "DELETE" }]);
    expect(requests[0]?.path.endsWith(`/entries/${name}`)).toBe(true);
  });

  it("takes any JSON without anything but a coded failure", () =>
    fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const { access } = relayThat(value);
        for (const work of [numbersOf(access, 0), vaultDevices(access)])
          expect(await codeOf(work)).toBe("relay/foreign");
      }),
    ));

  it.each([
    ["more entries than a page has", { entries: Array(501).fill(entry(1)), last: 1 }],
    ["an entry that is too long", { entries: [{ ...entry(1), sealed: "A".repeat(9000) }], last: 1 }],
    ["an entry that is no base64url", { entries: [{ ...entry(1), sealed: "A+/=" }], last: 1 }],
    ["a negative number", { entries: [{ ...entry(1), number: -1 }], last: 1 }],
  ])("refuses %s", async (_, answer) => {
    expect(await codeOf(numbersOf(relayThat(answer).access, 0))).toBe("relay/foreign");
  });
});
