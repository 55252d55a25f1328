import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { settle } from "../../tests/support/fake-clock.ts";
import {
  base,
  codeOf,
  refuse,
  respond,
  role,
  sealed,
  sender,
  setUpHttp,
  state,
} from "../../tests/support/fake-http.ts";
import { Failure } from "../failure.ts";
import { CLAIM_HEADER, HASH_HEADER } from "../portal/portal.ts";
import type { SealedObject } from "../wire/object.ts";
import { callApi, type HttpResponse } from "./http-link.ts";

describe("a link of plain requests", () => {
  it("[HTTP-1] opens by asking for the state, with the token in the header only", async () => {
    const { opening, requests } = setUpHttp(() => undefined);
    const link = await opening;
    const { version: _, ...told } = state;
    expect(link.state).toEqual(told);
    expect(requests[0]).toMatchObject({
      method: "GET",
      path: base,
      headers: { Authorization: `Bearer ${Buffer.from(role.token).toString("base64url")}` },
    });
    link.close();
  });

  it("[HTTP-2] takes the relay's failure from an answer, and anything else for no relay", async () => {
    for (const [response, code] of [
      [refuse("portal/unknown"), "portal/unknown"],
      [refuse("portal/expired"), "portal/expired"],
      [refuse("relay/busy"), "relay/busy"],
      [respond(403, { code: "no/such-code" }), "relay/unreachable"],
      [respond(403, { code: "toString" }), "relay/unreachable"],
      [respond(200, "<html>"), "relay/foreign"],
      [respond(200, "null"), "relay/foreign"],
      [respond(200, { ...state, senders: -1 }), "relay/foreign"],
      [respond(200, { ...state, version: "7" }), "relay/foreign"],
      [respond(200, { ...state, commitment: { packs: 1, pages: 1, root: "short" } }), "relay/foreign"],
    ] as const) {
      const { opening } = setUpHttp(() => response);
      expect(await codeOf(opening)).toBe(code);
    }
  });

  it("[HTTP-3] stores an object under its number with its hash", async () => {
    const { opening, requests } = setUpHttp(({ method }) => (method === "PUT" ? respond(204, "") : undefined), sender);
    const link = await opening;
    const { object } = sealed(3);
    await link.put(object);
    expect(requests[1]).toMatchObject({
      method: "PUT",
      path: `${base}/pages/3?final=1`,
      headers: { [HASH_HEADER]: Buffer.from(object.header.hash).toString("base64url") },
    });
    expect(requests[1]?.body).toBe(object.bytes);
    await link.put({ ...object, header: { ...object.header, final: false } });
    expect(requests[2]?.path).toBe(`${base}/pages/3`);
    link.close();
  });

  it("[HTTP-4] waits for an object by asking again, and rests where the relay does not wait", async () => {
    const { object, response } = sealed(5);
    let asked = 0;
    const { opening, clock } = setUpHttp(({ path }) => {
      if (!path.includes("/pages/5")) return undefined;
      asked += 1;
      return asked < 4 ? refuse("object/absent") : response;
    });
    const link = await opening;
    const got = link.get("page", 5);
    await settle();
    expect(asked).toBe(1);
    await clock.advance(3_000);
    expect(await got).toEqual(object);
    expect(asked).toBe(4);
    link.close();
  });

  it("[HTTP-4] learns from the commitment that an object will never come", async () => {
    const commitment = { packs: 1, pages: 1, root: Buffer.from(noise(32, 0)).toString("base64url") };
    const { opening } = setUpHttp(({ path }) => {
      if (path.includes("/pages/")) return refuse("object/absent");
      return path === base ? respond(200, { ...state, commitment }) : undefined;
    });
    const link = await opening;
    expect(link.state.commitment).toEqual({ ...commitment, root: noise(32, 0) });
    expect(await codeOf(link.get("page", 9))).toBe("object/absent");
    link.close();
  });

  it("[HTTP-4] refuses an object without a hash, or of a size that none has", async () => {
    const { object } = sealed(1);
    const hash = Buffer.from(object.header.hash).toString("base64url");
    for (const [response, code] of [
      [respond(200, object.bytes), "relay/foreign"],
      [respond(200, object.bytes, { [HASH_HEADER]: "AAAA" }), "relay/foreign"],
      [respond(200, object.bytes, { [HASH_HEADER]: `${hash.slice(0, -1)}B` }), "relay/foreign"],
      [respond(200, new Uint8Array(8), { [HASH_HEADER]: hash }), "object/size"],
      [respond(200, new Uint8Array(300_000), { [HASH_HEADER]: hash }), "wire/too-large"],
    ] as const) {
      const { opening } = setUpHttp(({ path }) => (path.includes("/pages/") ? response : undefined));
      const link = await opening;
      expect(await codeOf(link.get("page", 1))).toBe(code);
      link.close();
    }
  });

  it("[HTTP-5] never opens more requests for objects than a browser has connections", async () => {
    const { opening, requests } = setUpHttp(() => undefined);
    const link = await opening;
    const stop = new AbortController();
    const gets = Array.from({ length: 30 }, (_, i) => codeOf(link.get(i % 2 === 0 ? "pack" : "page", i, stop.signal)));
    await settle();
    expect(requests.filter(({ path }) => path.includes("/packs/")).length).toBe(4);
    expect(requests.filter(({ path }) => path.includes("/pages/")).length).toBe(1);
    stop.abort();
    expect(await Promise.all(gets)).toEqual(Array(30).fill("cancelled"));
    link.close();
  });

  it("[HTTP-5] never sends more objects at a time than a browser has connections", async () => {
    const answers: ((response: HttpResponse) => void)[] = [];
    const { opening, requests } = setUpHttp(
      ({ method }) => (method === "PUT" ? new Promise((resolve) => answers.push(resolve)) : undefined),
      sender,
    );
    const link = await opening;
    const object = (kind: "pack" | "page", index: number): SealedObject => {
      const { header, bytes } = sealed(index).object;
      return { header: { ...header, kind }, bytes };
    };
    const puts = Array.from({ length: 14 }, (_, i) => codeOf(link.put(object(i % 2 === 0 ? "pack" : "page", i))));
    await settle();
    const count = (kind: string) => requests.filter(({ path }) => path.includes(`/${kind}s/`)).length;
    expect([count("pack"), count("page")]).toEqual([4, 1]);
    for (let turn = 0; turn < 14; turn++) {
      answers.shift()?.(respond(204, ""));
      await settle();
    }
    expect(await Promise.all(puts)).toEqual(Array(14).fill("resolved"));
    link.close();
  });

  it("[HTTP-6] follows the state, also past failures that pass, and ends with one that does not", async () => {
    const answers = [
      refuse("relay/busy"),
      respond(200, { ...state, version: 8, senders: 2 }),
      refuse("portal/expired"),
    ];
    const { opening, clock } = setUpHttp(({ path }) => (path.includes("?after=") ? answers.shift() : undefined));
    const link = await opening;
    const senders: number[] = [];
    link.onState((told) => senders.push(told.senders));
    await clock.advance(5_000);
    expect(senders).toEqual([2]);
    expect((await link.closed).code).toBe("portal/expired");
    expect(clock.sleeping).toBe(0);
  });

  it("[HTTP-7] ends, with everything that is pending, when it is closed or the relay is gone", async () => {
    const closed = setUpHttp(() => undefined);
    const link = await closed.opening;
    link.onState(() => {});
    const pending = [codeOf(link.get("page", 0)), codeOf(link.get("pack", 0, new AbortController().signal))];
    await settle();
    link.close();
    expect(await Promise.all(pending)).toEqual(["cancelled", "cancelled"]);
    expect((await link.closed).code).toBe("cancelled");
    expect(await codeOf(link.put(sealed(0).object))).toBe("relay/unreachable");
    expect(closed.clock.sleeping).toBe(0);
    const gone = setUpHttp(({ method }) =>
      method === "PUT" ? Promise.reject(new Failure("relay/unreachable")) : undefined,
    );
    const other = await gone.opening;
    const waiting = codeOf(other.get("page", 0));
    await settle();
    expect(await codeOf(other.put(sealed(0).object))).toBe("relay/unreachable");
    expect((await other.closed).code).toBe("relay/unreachable");
    expect(await waiting).toMatch(/cancelled|relay\/unreachable/);
  });

  it("[HTTP-3] commits and counts downloads", async () => {
    const { opening, requests } = setUpHttp(({ method }) => (method === "POST" ? respond(204, "") : undefined));
    const link = await opening;
    await link.commit({ packs: 2, pages: 3, root: noise(32, 1) });
    await link.complete(noise(16, 2));
    expect(requests.slice(1).map(({ path, body }) => [path, JSON.parse(String(body))])).toEqual([
      [`${base}/commit`, { packs: 2, pages: 3, root: Buffer.from(noise(32, 1)).toString("base64url") }],
      [`${base}/downloads`, { claim: Buffer.from(noise(16, 2)).toString("base64url") }],
    ]);
    link.close();
  });

  it("[HTTP-2] gives the body of an answer that succeeded, and nothing for one that has none", async () => {
    expect(await callApi(async () => respond(200, { a: 1 }), { method: "GET", path: "/" })).toEqual({ a: 1 });
    expect(await callApi(async () => respond(204, ""), { method: "DELETE", path: "/" })).toBeUndefined();
  });

  it("[HTTP-8] takes a claim by POST, and names it when it asks for packs, not for pages", async () => {
    const claim = noise(16, "claim");
    const text = Buffer.from(claim).toString("base64url");
    const answers: HttpResponse[] = [refuse("portal/claimed"), respond(204, "")];
    const { opening, requests } = setUpHttp(({ method, path }) =>
      method === "POST" ? answers.shift() : path.includes("pages") ? sealed(0).response : undefined,
    );
    const link = await opening;
    expect(await codeOf(link.claim(claim))).toBe("portal/claimed");
    void codeOf(link.get("pack", 1));
    await settle();
    expect(requests.at(-1)?.headers?.[CLAIM_HEADER]).toBeUndefined();
    await link.claim(claim);
    expect(requests.at(-1)).toMatchObject({
      method: "POST",
      path: `${base}/claims`,
      body: JSON.stringify({ claim: text }),
    });
    void codeOf(link.get("pack", 2));
    await settle();
    expect(requests.at(-1)).toMatchObject({
      path: expect.stringContaining("packs/2"),
      headers: { [CLAIM_HEADER]: text },
    });
    await link.get("page", 0);
    expect(requests.at(-1)?.headers?.[CLAIM_HEADER]).toBeUndefined();
    link.close();
  });

  it("[HTTP-9] asks again for what its owner's pause keeps back, also of a portal that is complete", async () => {
    const commitment = { packs: 1, pages: 1, root: Buffer.from(noise(32, "root")).toString("base64url") };
    let isPaused = true;
    const { opening, clock } = setUpHttp(({ path }) => {
      if (path === base) return respond(200, { ...state, commitment, phase: "paused" });
      if (!path.includes("pages")) return undefined;
      return isPaused ? refuse("object/absent") : sealed(0).response;
    });
    const link = await opening;
    const page = codeOf(link.get("page", 0));
    await clock.advance(60_000);
    expect(await Promise.race([page, Promise.resolve("waiting")])).toBe("waiting");
    isPaused = false;
    await clock.advance(2_000);
    expect(await page).toBe("resolved");
    link.close();
  });

  it("[EDGE-29] tells for how long a relay that has enough wants to be left alone, and believes nothing absurd", async () => {
    const detailsOf = async (retrySeconds: unknown) => {
      const send = async () => respond(429, { code: "relay/busy", details: { retrySeconds } });
      const failure: unknown = await callApi(send, { method: "GET", path: "/" }).catch((error: unknown) => error);
      return failure instanceof Failure && failure.code === "relay/busy"
        ? failure.details["retrySeconds"]
        : "no failure";
    };
    expect(await detailsOf(40)).toBe(40);
    for (const odd of ["40", -1, 0, 0.5, 2 ** 53, null, undefined, Number.NaN, { s: 40 }])
      expect(await detailsOf(odd)).toBeUndefined();
  });
});
