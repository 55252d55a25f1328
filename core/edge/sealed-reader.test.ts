import { beforeEach, describe, expect, it } from "vitest";
import { base, codeOf, refuse, role, sealed } from "../../tests/support/fake-http.ts";
import { Failure } from "../failure.ts";
import type { HttpRequest, HttpResponse } from "./http-link.ts";
import { SealedReader } from "./sealed-reader.ts";

let requests: HttpRequest[];
let answer: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;
let reader: SealedReader;
beforeEach(() => {
  requests = [];
  const send = async (request: HttpRequest) => {
    requests.push(request);
    return answer(request);
  };
  reader = new SealedReader(send, role.portal, role.token);
});

/** A relay that says nothing until the request is given up. */
function silence({ signal }: HttpRequest): Promise<HttpResponse> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(new Failure("cancelled")), { once: true });
  });
}

const take = async ({ bytes }: { bytes: Uint8Array }) => bytes.slice();

describe("reading sealed objects", () => {
  it("asks for each by one plain request that waits for nothing", async () => {
    const { object, response } = sealed(3);
    answer = () => response;
    expect(await reader.get("page", 3, take)).toEqual(object.bytes);
    const authorization = `Bearer ${Buffer.from(role.token).toString("base64url")}`;
    expect(requests).toMatchObject([
      { method: "GET", path: `${base}/pages/3`, headers: { Authorization: authorization } },
    ]);
  });

  it("tells of an object's bytes as they come, and of no others", async () => {
    const { object, response } = sealed(3);
    const inParts = ({ bytes, ...rest }: HttpResponse): HttpResponse => ({
      ...rest,
      bytes: async (maxBytes, onBytes) => {
        for (const part of [60, 40]) onBytes?.(part);
        return bytes(maxBytes);
      },
    });
    const told: number[] = [];
    const read = () => reader.get("page", 3, take, undefined, (bytes) => told.push(bytes));
    answer = () => inParts(response);
    expect(await read()).toEqual(object.bytes);
    expect(told).toEqual([60, 40]);
    answer = () => inParts(refuse("object/absent"));
    expect(await codeOf(read())).toBe("object/absent");
    expect(told).toEqual([60, 40]);
  });

  it("fails at once for what is not there, and with what was made of it, and reads on", async () => {
    answer = () => refuse("object/absent");
    expect(await codeOf(reader.get("page", 3, take))).toBe("object/absent");
    answer = () => sealed(4).response;
    const refused = reader.get("page", 4, () => Promise.reject(new Failure("pack/forged")));
    expect(await codeOf(refused)).toBe("pack/forged");
    expect(requests).toHaveLength(2);
    expect(await codeOf(reader.get("page", 4, take))).toBe("resolved");
  });

  it("gives up what is under way when its relay is away, and reads on", async () => {
    answer = silence;
    const waiting = reader.get("page", 3, take);
    reader.interrupt();
    expect(await codeOf(waiting)).toBe("cancelled");
    answer = () => sealed(3).response;
    expect(await codeOf(reader.get("page", 3, take))).toBe("resolved");
  });

  it("gives up one object by its signal, and all when it is closed", async () => {
    answer = silence;
    const stop = new AbortController();
    const [one, other] = [reader.get("page", 3, take, stop.signal), reader.get("page", 4, take)];
    stop.abort();
    expect(await codeOf(one)).toBe("cancelled");
    reader.close();
    expect(await codeOf(other)).toBe("cancelled");
    expect(await codeOf(reader.get("page", 5, take))).toBe("cancelled");
    expect(requests).toHaveLength(2);
  });
});
