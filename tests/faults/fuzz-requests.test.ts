/**
 * Damaged requests to the relay's HTTP interface, in the test's own process: only coded answers, no bug, no growth.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FAILURES } from "../../core/failure.ts";
import { ByteBudget } from "../../relay-server/src/byte-budget.ts";
import { SlewedDate } from "../../relay-server/src/clock.ts";
import { readConfig } from "../../relay-server/src/config.ts";
import { FIXED_LIMITS, Guard } from "../../relay-server/src/guard/guard.ts";
import { createApp } from "../../relay-server/src/http/app.ts";
import type { RelayApp } from "../../relay-server/src/http/context.ts";
import { Presence } from "../../relay-server/src/http/presence.ts";
import { StaticFiles } from "../../relay-server/src/http/static-files.ts";
import { Logger } from "../../relay-server/src/log.ts";
import { Metrics } from "../../relay-server/src/metrics.ts";
import { Portals } from "../../relay-server/src/portal/portals.ts";
import { openSqliteStore } from "../../relay-server/src/store/sqlite-store.ts";
import type { Store } from "../../relay-server/src/store/store.ts";
import { Vaults } from "../../relay-server/src/vault/vaults.ts";
import { base64url, inventPortal } from "../integration/relay-client.ts";
import { judge } from "./fuzz/judge.ts";
import { type RandomRequest, randomRequests } from "./fuzz/requests.ts";
import { noteFigures } from "./lab/figures.ts";
import { rounds } from "./scale.ts";

/** Guessing is held up elsewhere: here every request is to reach what it is for. */
const NO_LIMITS = {
  createsPerHour: 1e9,
  bytesPerDay: 1e15,
  failuresOfPair: 1e9,
  failuresOfPortal: 1e9,
  failuresOfAddress: 1e9,
};

/** The connection under a request, as far as the relay looks at it. */
const BINDINGS = { incoming: { headers: {}, socket: { remoteAddress: "127.0.0.1" } } };

let folder: string;
let store: Store;
let app: RelayApp;
const presence = new Presence();
const stopping = new AbortController();
const bugs: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "warp-requests-"));
  const config = readConfig({ PORT: "0", DATA_DIR: folder, MIN_FREE_BYTES: "1" });
  store = await openSqliteStore(config);
  const budget = new ByteBudget(2 ** 24);
  const log = new Logger("error", (line) => bugs.push(line));
  const date = new SlewedDate();
  const guard = new Guard({ ...FIXED_LIMITS, ...NO_LIMITS });
  app = createApp({
    config,
    portals: new Portals({ store, budget }, date),
    vaults: new Vaults(store.vaults, guard, date),
    guard,
    store,
    metrics: new Metrics(() => {}),
    log,
    presence,
    files: await StaticFiles.list(folder),
    webtransport: () => ({ state: null, reason: "not in this test" }),
    uploadBufferBytes: () => budget.used,
    stopping: stopping.signal,
  });
});
afterAll(async () => {
  stopping.abort();
  presence.close();
  await store?.close();
  await rm(folder, { recursive: true, force: true });
});

it("S7: damaged requests get coded answers and leave nothing behind", { timeout: 600_000 }, async () => {
  const portal = inventPortal();
  const init = {
    method: "POST",
    headers: { host: "localhost", "content-type": "application/json" },
    body: JSON.stringify(portal.body),
  };
  const created = await app.request("/api/v1/portals", init, BINDINGS);
  expect(created.status).toBe(201);
  const tokens = { ownerToken: base64url(portal.ownerToken), readToken: base64url(portal.readToken) };
  const statuses = new Map<number, number>();
  const decode = async ({ method, path, headers, body }: RandomRequest) => {
    const request = new Request(`http://localhost${path}`, {
      method,
      headers,
      ...(body !== undefined && { body }),
    });
    const answer = await app.fetch(request, BINDINGS);
    const text = await answer.text();
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    const isCoded = answer.status < 400 || method === "HEAD" || text.startsWith("The web app is not built");
    const code = isCoded ? undefined : (JSON.parse(text) as { code: string }).code;
    if (code !== undefined && !(code in FAILURES)) throw new Error(`code ${code}`);
    if (answer.status >= 500 && code !== undefined) throw new Error(`${answer.status} ${text} ${bugs.join()}`);
    if (bugs.length > 0) throw new Error(bugs.join());
  };
  const next = randomRequests({ portal: portal.text, ...tokens }, 113);
  const target = {
    name: "requests",
    next,
    decode,
    codes: [],
    show: (request: RandomRequest) => JSON.stringify(request),
  };
  const verdict = await judge(target, rounds(2_000, 60_000));
  noteFigures("S7 requests", { ...verdict });
  const of = (from: number, to: number) =>
    [...statuses].reduce((sum, [status, count]) => sum + (status >= from && status < to ? count : 0), 0);
  expect(of(200, 400)).toBeGreaterThan(0);
  expect(of(400, 500)).toBeGreaterThan(of(200, 400));
});

it.each<[string, Record<string, string>, string]>([
  ["without a type", {}, "{}"],
  ["of another type", { "content-type": "text/plain" }, "{}"],
  ["that is no JSON", { "content-type": "application/json" }, "{"],
  ["that is no JSON and has no length", { "content-type": "application/json", "content-length": "x" }, "\u0000"],
])("S7: a body %s is refused as the client's fault", async (_what, headers, body) => {
  const url = "http://localhost/api/v1/portals";
  const answer = await app.fetch(
    new Request(url, { method: "POST", headers: { host: "localhost", ...headers }, body }),
    BINDINGS,
  );
  expect([answer.status, await answer.json()]).toEqual([400, { code: "wire/malformed", details: { what: "body" } }]);
  expect(bugs).toEqual([]);
});
