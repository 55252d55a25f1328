import { afterEach, beforeEach, expect, test } from "vitest";
import { BenchServer } from "./bench-server.ts";
import { type Order, type Report, ROUTES } from "./commands.ts";

let server: BenchServer;
beforeEach(async () => {
  server = new BenchServer("nowhere");
  await server.listen();
});
afterEach(() => server.close());

async function nextOrder(): Promise<Order> {
  return (await (await fetch(`${server.url}${ROUTES.next}?client=sender`)).json()) as Order;
}

async function report(what: Report): Promise<void> {
  await fetch(`${server.url}${ROUTES.report}`, { method: "POST", body: JSON.stringify(what) });
}

test("an order given before the page asks waits for it, and its answer comes back", async () => {
  const running = server.order("sender", "clean", { keep: ["a"] });
  const order = await nextOrder();
  expect(order).toMatchObject({ name: "clean", arguments: { keep: ["a"] } });
  await report({ id: order.id, type: "answer", value: null });
  expect(await running.answer).toBeNull();
});

test("a page that waits gets the next order at once, and events come before the answer", async () => {
  const asked = nextOrder();
  const running = server.order("sender", "send", { name: "x", relay: "", path: "tcp" });
  const { id } = await asked;
  const link = running.event("link");
  await report({ id, type: "event", name: "link", value: "/p/1" });
  expect(await link).toBe("/p/1");
  await report({ id, type: "answer", value: { startedMs: 1, endedMs: 2 } });
  expect(await running.answer).toEqual({ startedMs: 1, endedMs: 2 });
});

test("what a page throws refuses the answer and whoever waits for an event", async () => {
  const running = server.order("sender", "clean", { keep: [] });
  const { id } = await nextOrder();
  const event = expect(running.event("never")).rejects.toThrow("quota");
  const answer = expect(running.answer).rejects.toThrow("quota");
  await report({ id, type: "error", message: "quota" });
  await Promise.all([event, answer]);
});

test("a page that stays silent refuses the order after its limit", async () => {
  await expect(server.order("sender", "clean", { keep: [] }, 20).answer).rejects.toThrow("no answer in 20 ms");
});

test("nothing outside the pages' folder is served", async () => {
  for (const path of ["/package.json", "/..%2fpackage.js", "/no.js"])
    expect((await fetch(server.url + path)).status).toBe(404);
});
