import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { from, tryLink } from "../integration/guarded-relay.ts";
import {
  base64url,
  bearer,
  createPortal,
  getObject,
  inventLink,
  inventPortal,
  putObject,
  random,
  sealed,
  TestLink,
  type TestPortal,
} from "../integration/relay-client.ts";
import { launchRelay, type RunningRelay } from "../support/launch.ts";
import { quantile } from "../support/relay-load.ts";
import { rounds } from "./scale.ts";

/** Thousands in a second, where nothing else runs on the machine. */
const GUESSES = rounds(2000, 100_000);
const SOCKETS = 8;
/** Requests that follow each other on a connection before any is answered. */
const BATCH = 50;
const WINDOW_MS = 60_000;
const LONG_MS = rounds(120_000, 600_000);
/** Beside the other tests the machine itself may pause for longer. */
const SERVED_MS = rounds(5000, 500);
const PASSWORD = { algorithm: "argon2id", memory: 65_536, iterations: 3, parallelism: 1 } as const;

let relay: RunningRelay;
beforeAll(async () => {
  const limits = { MAX_LINKS_PER_ADDRESS: "500", MIN_FREE_BYTES: "1", LOG_LEVEL: "error" };
  relay = await launchRelay({ env: { ...limits, TRUST_PROXY: "127.0.0.0/8" } });
});
afterAll(async () => relay[Symbol.asyncDispose]());

/** One guess: at what, and from where. */
interface Guess {
  readonly path: string;
  readonly address: string;
  readonly token: Uint8Array;
}

/** How often each status came, and how long all took. */
interface Verdict {
  readonly statuses: ReadonlyMap<number, number>;
  readonly ms: number;
}

/** Sends guesses over a few connections, many at a time, as fast as they are answered. */
async function guess(count: number, next: (n: number) => Guess): Promise<Verdict> {
  const statuses = new Map<number, number>();
  const started = performance.now();
  let sent = 0;
  const work = async (): Promise<void> => {
    const socket = createConnection({ host: "127.0.0.1", port: relay.port });
    await once(socket, "connect");
    while (sent < count) {
      const some = Array.from({ length: Math.min(BATCH, count - sent) }, () => next(sent++));
      for (const status of await ask(socket, some)) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: SOCKETS }, work));
  return { statuses, ms: performance.now() - started };
}

function ask(socket: Socket, guesses: readonly Guess[]): Promise<number[]> {
  const requests = guesses.map(({ path, address, token }) =>
    [
      `GET ${path} HTTP/1.1`,
      "Host: localhost",
      `X-Forwarded-For: ${address}`,
      `Authorization: Bearer ${base64url(token)}`,
      "\r\n",
    ].join("\r\n"),
  );
  return new Promise((resolve, reject) => {
    let text = "";
    const onData = (data: Buffer) => {
      text += data.toString("latin1");
      const found = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
      // The last answer's body is small and has come when its failure's code has.
      if (found.length < guesses.length || (text.match(/"details":\{[^}]*\}\}/g) ?? []).length < guesses.length) return;
      socket.off("data", onData).off("close", onClose);
      resolve(found);
    };
    const onClose = () => reject(new Error(`the connection ended after ${text.slice(-300)}`));
    socket.on("data", onData).on("close", onClose);
    socket.write(requests.join(""));
  });
}

const pathOf = ({ text, link }: TestPortal) => `/api/v1/portals/${text}/links/${link}`;

/** Checks that so many guesses were judged in each minute, and all others told to wait. */
function expectBraked({ statuses, ms }: Verdict, inAMinute: number): void {
  const judged = statuses.get(404) ?? 0;
  expect(judged).toBeGreaterThanOrEqual(inAMinute);
  expect(judged).toBeLessThanOrEqual(inAMinute * (1 + Math.ceil(ms / WINDOW_MS)));
  expect([...statuses.keys()].sort()).toEqual([404, 429]);
  expect(judged + (statuses.get(429) ?? 0)).toBe(GUESSES);
}

/** The owner and a receiver use their portal from other addresses until the work is done; gives how long each answer took. */
async function useWhile(portal: TestPortal, work: Promise<unknown>): Promise<number[]> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  const times: number[] = [];
  const uses = [
    () => tryLink(relay.url, portal, "192.0.2.1", portal.readToken),
    () => getObject(relay.url, portal, "page", 0),
    () =>
      fetch(`${relay.url}/api/v1/portals/${portal.text}/details`, {
        headers: from("192.0.2.2", bearer(portal.ownerToken)),
      }),
    () => fetch(`${relay.url}/api/v1/portals/${portal.text}`, { headers: from("10.0.0.1", bearer(portal.ownerToken)) }),
  ];
  do {
    for (const use of uses) {
      const started = performance.now();
      const answer = await use();
      await answer.arrayBuffer();
      times.push(performance.now() - started);
      expect(answer.status).toBe(200);
    }
  } while (!isOver);
  await over;
  return times;
}

async function makePortal(): Promise<TestPortal> {
  const portal = await createPortal(relay.url);
  await putObject(relay.url, portal, sealed("page", 0, 1000));
  return portal;
}

describe(`S12: ${GUESSES} guesses`, () => {
  it(
    "[RELAY-61] at links from one address are braked, whichever portals they are at",
    async () => {
      const portal = await makePortal();
      const one = () => ({ path: pathOf(inventPortal()), address: "10.0.0.1", token: random(32) });
      const guessing = guess(GUESSES, one);
      const times = await useWhile(portal, guessing);
      expectBraked(await guessing, 120);
      expect(quantile(times, 0.99)).toBeLessThan(SERVED_MS);
    },
    LONG_MS,
  );

  it(
    "[RELAY-61] at one portal from a thousand addresses are braked, and its owner and receivers are served",
    async () => {
      const portal = await makePortal();
      const path = pathOf(portal);
      const one = (n: number) => ({ path, address: `10.1.${n % 4}.${(n >> 2) % 250}`, token: random(32) });
      const guessing = guess(GUESSES, one);
      const times = await useWhile(portal, guessing);
      expectBraked(await guessing, 60);
      expect(quantile(times, 0.99)).toBeLessThan(SERVED_MS);
    },
    LONG_MS,
  );

  it(
    "[RELAY-61] at a password are braked, also the right one; who knows it comes in from elsewhere",
    async () => {
      const link = inventLink("read", { password: PASSWORD });
      const made = await createPortal(relay.url, { links: [link.body] });
      const portal = { ...made, link: link.link, readToken: link.token };
      const path = pathOf(portal);
      const right = Math.floor(GUESSES / 2);
      const one = (n: number) => ({ path, address: "10.2.0.1", token: n >= right ? link.token : random(32) });
      const { statuses, ms } = await guess(GUESSES, one);
      // Where it took longer than a minute the right one may be heard in the next.
      if (ms < WINDOW_MS)
        expect([...statuses].sort()).toEqual([
          [404, 5],
          [429, GUESSES - 5],
        ]);
      expect((await tryLink(relay.url, portal, "10.2.0.2", link.token)).status).toBe(200);
      const owner = await fetch(`${relay.url}${path.replace(/\/links.*/, "")}`, {
        headers: from("10.2.0.1", bearer(portal.ownerToken)),
      });
      expect(owner.status).toBe(200);
    },
    LONG_MS,
  );

  it(
    "[RELAY-61] count on links too, where a right token is welcome",
    async () => {
      const portal = await makePortal();
      const codes = new Map<number, number>();
      for (let n = 0; n < 20; n++) {
        const link = await TestLink.connect(relay.url, from("10.3.0.1"));
        link.hello(portal, "receive", random(32));
        const { code } = await link.next("bye");
        codes.set(code, (codes.get(code) ?? 0) + 1);
        await link.closed;
      }
      expect([...codes.values()]).toEqual([5, 15]);
      const link = await TestLink.connect(relay.url, from("10.3.0.1"));
      link.hello(portal, "receive");
      await link.next("welcome");
      await link.cut();
    },
    LONG_MS,
  );
});
