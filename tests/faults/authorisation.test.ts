import { once } from "node:events";
import { request as rawRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAILURES } from "../../core/failure.ts";
import { LINK_ID_BYTES, ownerKey, relayToken } from "../../core/seal/keys.ts";
import { SteeredClocks } from "../integration/portal-calls.ts";
import {
  base64url,
  bearer,
  createPortal,
  inventLink,
  putObject,
  random,
  sealed,
  TestLink,
  type TestLinkEntry,
  type TestPortal,
} from "../integration/relay-client.ts";
import { type TestRelay, testRelay } from "../integration/relay-fixture.ts";
import { type Ask, ODD_HOSTS, ODD_PATHS, TABLE, type Target } from "./authorisation-table.ts";
import { noteFigures } from "./lab/figures.ts";
import { rounds } from "./scale.ts";

/** Guessing is the guard's: here nobody is held up. */
const GENEROUS = { failuresOfPair: 1e9, failuresOfPortal: 1e9, failuresOfAddress: 1e9, createsPerHour: 1e9 };
const clocks = new SteeredClocks();
let relay: TestRelay;
let url: string;
beforeAll(async () => {
  relay = await testRelay({ maxExpirySeconds: 1e7 }, { clocks, limits: GENEROUS });
  url = relay.url;
});
afterAll(async () => relay[Symbol.asyncDispose]());

interface Made extends Target {
  readonly test: TestPortal;
}

async function make(kind: "send" | "request"): Promise<Made> {
  const [link, admin] = [inventLink(kind === "send" ? "read" : "write"), inventLink("admin")];
  const test = await createPortal(url, { kind, links: [link.body, admin.body], expirySeconds: 1e6 });
  const pack = sealed("pack", 0, 5000, true);
  if (kind === "send") {
    await putObject(url, test, pack);
    await putObject(url, test, sealed("page", 0, 100));
  }
  return { portal: test.text, link, admin, pack, test };
}

function end({ test }: Made): Promise<Response> {
  return fetch(`${url}/api/v1/portals/${test.text}`, { method: "DELETE", headers: bearer(test.ownerToken) });
}

function send(ask: Ask, token: Uint8Array | undefined): Promise<Response> {
  const { method, path, headers, body = null } = ask;
  return fetch(url + path, { method, headers: { ...headers, ...(token && bearer(token)) }, body });
}

async function outcome(ask: Ask, token: Uint8Array | undefined): Promise<string> {
  const answer = await send(ask, token);
  if (answer.ok) return "ok";
  // HEAD has no body to look into.
  if (ask.method === "HEAD") return codeOfStatus(answer.status);
  const { code } = (await answer.json()) as { code: keyof typeof FAILURES };
  expect(answer.status).toBe(FAILURES[code].status);
  return code;
}

function codeOfStatus(status: number): string {
  return status === 410 ? "portal/expired" : "404";
}

const expected = (ask: Ask, code: string) =>
  ask.method === "HEAD" && (code === "portal/unknown" || code === "object/absent") ? "404" : code;

/** A token that is right at another relay. */
async function foreignToken(portal: TestPortal): Promise<Uint8Array> {
  return relayToken(await ownerKey(random(32)), "own", "https://other.example", portal.id);
}

describe("S5: every route × every token", () => {
  it.each(Object.keys(TABLE))("[RELAY-2, RELAY-3] %s", async (name) => {
    const row = TABLE[name];
    if (row === undefined) throw new Error("no such row");
    const [own, asked, over] = [await make("send"), await make("request"), await make("send")];
    await end(over);
    const strangers: readonly (Uint8Array | undefined)[] = [
      undefined,
      random(32),
      new Uint8Array(32),
      await foreignToken(own.test),
      ...[own, asked, over].flatMap(({ link, admin, test }) => [link.token, admin.token, test.ownerToken]),
    ];
    for (const target of [own, asked, over]) {
      const mine = [target.link.token, target.admin.token, target.test.ownerToken];
      for (const token of strangers) {
        if (mine.some((one) => one === token)) continue;
        const ask = row.ask(target);
        expect(await outcome(ask, token)).toBe(expected(ask, "portal/unknown"));
      }
      const answers = target === own ? row.send : target === asked ? row.request : row.ended;
      for (const [at, code] of answers.entries()) {
        // What the others did must not count.
        const fresh = at === 0 ? target : await make(target === asked ? "request" : "send");
        if (target === over && fresh !== target) await end(fresh);
        const token = [fresh.link.token, fresh.admin.token, fresh.test.ownerToken][at];
        const ask = row.ask(fresh);
        expect(`${at} ${await outcome(ask, token)}`).toBe(`${at} ${expected(ask, code)}`);
      }
    }
  });

  it("[RELAY-3, RELAY-13] a portal that was forgotten is unknown to everybody, on every route", async () => {
    const gone = await make("send");
    await end(gone);
    clocks.pass(25 * 3600_000);
    const { dataDir } = relay;
    await relay.relay.stop();
    relay = Object.assign(await testRelay({ dataDir, maxExpirySeconds: 1e7 }, { clocks, limits: GENEROUS }), {
      dataDir,
    });
    url = relay.url;
    for (const { ask } of Object.values(TABLE))
      for (const token of [gone.link.token, gone.admin.token, gone.test.ownerToken])
        expect(await outcome(ask(gone), token)).toBe(expected(ask(gone), "portal/unknown"));
  });

  it.each([
    ["send", ["portal/unknown", "portal/unknown", "ok"], ["portal/unknown", "portal/unknown", "portal/expired"]],
    ["receive", ["ok", "ok", "ok"], ["portal/unknown", "portal/expired", "portal/expired"]],
  ] as const)("[RELAY-2, RELAY-3] hello to %s", async (role, answers, ended) => {
    const hello = async (target: Made, token: Uint8Array) => {
      const link = await TestLink.connect(url);
      link.hello(target.test, role, token);
      await Promise.race([link.next("welcome"), link.closed]).catch(() => undefined);
      const bye = link.frames.find((frame) => frame.t === "bye");
      await link.cut();
      return bye === undefined ? "ok" : Object.entries(FAILURES).find(([, { wire }]) => wire === bye.code)?.[0];
    };
    const [own, other, over, asked] = [
      await make("send"),
      await make("send"),
      await make("send"),
      await make("request"),
    ];
    await end(over);
    const tokensOf = ({ link, admin, test }: Made) => [link.token, admin.token, test.ownerToken];
    for (const token of [random(32), new Uint8Array(32), ...tokensOf(other), ...tokensOf(asked), ...tokensOf(over)])
      expect(await hello(own, token)).toBe("portal/unknown");
    for (const [at, token] of tokensOf(own).entries()) expect(await hello(own, token)).toBe(answers[at]);
    for (const [at, token] of tokensOf(over).entries()) expect(await hello(over, token)).toBe(ended[at]);
    expect(await hello(asked, asked.link.token)).toBe("portal/unknown");
  });
});

/** A request whose path and Host header nobody cleans up. */
async function raw(path: string, host: string, token?: Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url);
  const headers = { host, ...(token && bearer(token)) };
  const asking = rawRequest({ host: hostname, port, path, method: "GET", headers }).end();
  const [answer] = await once(asking, "response");
  answer.setEncoding("utf8");
  let text = "";
  for await (const piece of answer) text += piece;
  if (answer.statusCode === 200) return "ok";
  // What the server under the relay does not take for a request at all.
  if (text === "") return String(answer.statusCode);
  const { code, details } = JSON.parse(text);
  return details.what === "route" ? "no route" : code;
}

describe("S5: odd ways to write it", () => {
  it("[RELAY-3] a path that is written in another way opens nothing to whom it is not open, and is exactly this", async () => {
    const own = await make("send");
    const told: string[] = [];
    for (const [path] of ODD_PATHS) {
      const written = path(own.portal);
      told.push(`${path("ID")} ${await raw(written, "localhost", own.test.ownerToken)}`);
      for (const token of [undefined, own.link.token, random(32)])
        expect(["portal/unknown", "no route", "400"]).toContain(await raw(written, "localhost", token));
    }
    expect(told).toEqual(ODD_PATHS.map(([path, code]) => `${path("ID")} ${code}`));
  });

  it("[RELAY-26] a Host header that is written in another way opens nothing more", async () => {
    const own = await make("send");
    const path = `/api/v1/portals/${own.portal}/details`;
    const told: string[] = [];
    for (const [host, code] of ODD_HOSTS) {
      told.push(`${host} ${await raw(path, host, own.test.ownerToken)}`);
      const refusal = code === "ok" ? "portal/unknown" : code;
      for (const token of [undefined, own.link.token, random(32)]) expect(await raw(path, host, token)).toBe(refusal);
    }
    expect(told).toEqual(ODD_HOSTS.map(([host, code]) => `${host} ${code}`));
  });
});

interface Case {
  readonly name: string;
  readonly test: TestPortal;
  readonly link: TestLinkEntry;
}

/** One portal and link for each reason why a right token is worth nothing. */
async function worthless(): Promise<Case[]> {
  const now = clocks.wall();
  const one = async (
    name: string,
    link: TestLinkEntry,
    rules: object,
    spoil: (test: TestPortal) => Promise<unknown>,
  ) => {
    const test = await createPortal(url, { links: [link.body], expirySeconds: 1e6, ...rules });
    if (test.body["kind"] === "send") await putObject(url, test, sealed("page", 0, 100));
    await spoil(test);
    return { name, test, link };
  };
  const nothing = () => Promise.resolve();
  const call = (test: TestPortal, method: string, path: string, token: Uint8Array, body?: object) =>
    fetch(`${url}/api/v1/portals/${test.text}${path}`, {
      method,
      headers: { ...bearer(token), "Content-Type": "application/json" },
      body: body ? JSON.stringify(body) : null,
    }).then((answer) => {
      if (!answer.ok) throw new Error(`${method} ${path} gave ${answer.status}`);
    });
  const revoked = inventLink("read");
  const paused = inventLink("write");
  const used = inventLink("read", { maxUses: 1 });
  const last = inventLink("read");
  const download = (token: Uint8Array) => (test: TestPortal) =>
    call(test, "POST", "/downloads", token, { claim: base64url(random(16)) });
  const full = Array.from({ length: 60 }, () => inventLink("read").body);
  const cases = [
    await one("wrong token", { ...inventLink("read"), token: random(32) }, {}, nothing),
    await one("wrong token among many links", { ...inventLink("read"), token: random(32) }, { links: full }, nothing),
    await one("before its window", inventLink("read", { notBeforeMs: now + 1e9 }), {}, nothing),
    await one("after its window", inventLink("read", { expiresAtMs: now + 1 }), {}, nothing),
    await one("revoked", revoked, {}, (test) => call(test, "DELETE", `/links/${revoked.link}`, test.ownerToken)),
    await one("used up", used, {}, download(used.token)),
    await one("downloaded for the last time", last, { maxDownloads: 1 }, download(last.token)),
    await one("paused request", paused, { kind: "request" }, (test) =>
      call(test, "PATCH", "", test.ownerToken, { paused: true }),
    ),
    await one("ended", inventLink("read"), {}, (test) => call(test, "DELETE", "", test.ownerToken)),
    await one("time is over", inventLink("read"), { expirySeconds: 60 }, nothing),
  ];
  clocks.pass(120_000);
  const unknown = inventLink("read");
  const test = { ...(cases[0] as Case).test, text: base64url(random(LINK_ID_BYTES)), id: random(16) };
  return [...cases, { name: "unknown", test, link: unknown }];
}

describe("S5: what is refused", () => {
  it("[RELAY-3] looks the same and takes as long, whatever the reason is", { timeout: 300_000 }, async () => {
    const cases = await worthless();
    const asks = [
      ({ test, link }: Case) => send({ method: "GET", path: `/api/v1/portals/${test.text}` }, link.token),
      ({ test, link }: Case) =>
        send({ method: "GET", path: `/api/v1/portals/${test.text}/links/${link.link}` }, link.token),
    ];
    for (const ask of asks) {
      const seen = new Set<string>();
      const times = new Map(cases.map(({ name }) => [name, [] as number[]]));
      for (let round = 0; round < rounds(200, 1000); round++) {
        for (const one of cases) {
          const started = performance.now();
          const answer = await ask(one);
          const text = await answer.text();
          times.get(one.name)?.push(performance.now() - started);
          const headers = [...answer.headers].filter(([name]) => name !== "date").sort();
          seen.add(JSON.stringify([answer.status, text, headers]));
        }
      }
      expect([...seen]).toHaveLength(1);
      expect([...seen][0]).toContain("portal/unknown");
      const medians = [...times.values()].map((list) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0);
      const [fastestMs, slowestMs] = [Math.min(...medians), Math.max(...medians)];
      noteFigures("S5 medians", { fastestMs, slowestMs });
      expect(slowestMs - fastestMs).toBeLessThan(5);
    }
  });

  it("[RELAY-3] looks the same to who may not do it as to who knows nothing", async () => {
    const own = await make("send");
    const unknown = { ...own, portal: base64url(random(16)) };
    for (const [
      name,
      {
        ask,
        send: [reader],
      },
    ] of Object.entries(TABLE)) {
      if (reader !== "portal/unknown") continue;
      const answers = await Promise.all([
        send(ask(own), own.link.token),
        send(ask(own), random(32)),
        send(ask(unknown), own.link.token),
      ]);
      const texts = await Promise.all(
        answers.map(async (answer) => {
          const headers = [...answer.headers].filter(([header]) => header !== "date").sort();
          return JSON.stringify([answer.status, await answer.text(), headers]);
        }),
      );
      expect(new Set(texts).size, name).toBe(1);
    }
  });
});
