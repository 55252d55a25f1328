import { expect, it } from "vitest";
import { FakeClock } from "../../tests/support/fake-clock.ts";
import { ANSWER_MS, limitAnswers } from "./answer-limit.ts";
import type { HttpRequest, HttpResponse } from "./http-link.ts";

const response: HttpResponse = { status: 200, header: () => null, bytes: async () => new Uint8Array(3) };

it("gives up on a relay that took a request and says nothing, and aborts it", async () => {
  const clock = new FakeClock();
  let seen: HttpRequest | undefined;
  const send = limitAnswers((request) => {
    seen = request;
    return new Promise(() => {});
  }, clock);
  const answer = expect(send({ method: "GET", path: "/" })).rejects.toMatchObject({ code: "relay/unreachable" });
  await clock.advance(ANSWER_MS + 1);
  await answer;
  expect(seen?.signal?.aborted).toBe(true);
});

it("lets an answer that began take its time, and an object on its way up too", async () => {
  const clock = new FakeClock();
  const send = limitAnswers(async () => response, clock);
  const answer = await send({ method: "GET", path: "/" });
  await clock.advance(2 * ANSWER_MS);
  expect((await answer.bytes(10)).length).toBe(3);
  let isSettled = false;
  const slow = limitAnswers(() => new Promise(() => {}), clock);
  void slow({ method: "PUT", path: "/", body: new Uint8Array(1) }).finally(() => {
    isSettled = true;
  });
  await clock.advance(2 * ANSWER_MS);
  expect(isSettled).toBe(false);
});

it("passes an abort on, while waiting and while the body is read", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  let seen: HttpRequest | undefined;
  const send = limitAnswers(async (request) => {
    seen = request;
    return response;
  }, clock);
  await send({ method: "GET", path: "/", signal: stop.signal });
  expect(seen?.signal?.aborted).toBe(false);
  stop.abort();
  expect(seen?.signal?.aborted).toBe(true);
});

it("passes on who is told of bytes as they come", async () => {
  const bytes: HttpResponse["bytes"] = async (_, onBytes) => {
    onBytes?.(3);
    return new Uint8Array(3);
  };
  const send = limitAnswers(async () => ({ ...response, bytes }), new FakeClock());
  const told: number[] = [];
  await (await send({ method: "GET", path: "/" })).bytes(10, (more) => told.push(more));
  expect(told).toEqual([3]);
});
