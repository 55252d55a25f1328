import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { freePort } from "../../support/launch.ts";
import { CLEAN, lineOf } from "./line.ts";
import { inside } from "./namespaces.ts";
import { NETWORK, openNamespaces } from "./network.ts";
import { BEHIND, BEHIND_FAMILY, FaultProxy } from "./proxy.ts";

const COUNT = 400;
/** The chance that these many packets of a line with 10 % loss each way meet less or more is one in a million. */
const LOSS = 0.1;
const LEAST_ANSWERS = 0.71 * COUNT;
const MOST_ANSWERS = 0.91 * COUNT;

/** Sends packets back and forth and tells how many came back and how long the quickest took. Runs anywhere. */
const PROBE = `
const [, host, port, count] = process.argv;
const socket = require("node:dgram").createSocket("udp4");
const sent = [], times = [];
socket.on("message", (m) => times.push(performance.now() - sent[Number(m)]));
let next = 0;
const timer = setInterval(() => {
  if (next < Number(count)) { sent[next] = performance.now(); socket.send(String(next++), Number(port), host); return; }
  clearInterval(timer);
  setTimeout(() => { console.log(JSON.stringify({ answers: times.length, quickestMs: Math.min(...times) })); process.exit(0); }, 600);
}, 2);
`;
const ECHO = `
const [, host, port] = process.argv;
const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (m, from) => socket.send(m, from.port, from.address));
socket.bind(Number(port), host, () => console.log("ready"));
`;

interface Answers {
  readonly answers: number;
  readonly quickestMs: number | null;
}

const children: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of children.splice(0)) await end();
});

/** Runs a script, perhaps in a namespace; gives its first line. */
async function firstLine(
  prefix: readonly string[],
  script: string,
  ...args: readonly (string | number)[]
): Promise<string> {
  const [program = "", ...rest] = [...prefix, process.execPath, "-e", script, "--", ...args.map(String)];
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(async () => {
    if (child.exitCode === null && child.kill("SIGKILL")) await once(child, "exit");
  });
  const { value, done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (done === true) throw new Error("the script said nothing");
  return value;
}

async function probe(prefix: readonly string[], host: string, port: number, count = COUNT): Promise<Answers> {
  return JSON.parse(await firstLine(prefix, PROBE, host, port, count));
}

/** What each variant must do to packets: it is called with the ways to disturb, and a probe across the line. */
async function checkLine(
  network: {
    set(line: typeof CLEAN): Promise<void> | void;
    cut(): Promise<void> | void;
    heal(): Promise<void> | void;
    blockUdp(): void;
    openUdp(): void;
    changeAddress(): void;
    crossedBytes(): Promise<number> | number;
  },
  across: (count?: number) => Promise<Answers>,
): Promise<void> {
  const before = await network.crossedBytes();
  expect((await across()).answers).toBe(COUNT);
  // Each way has at least a byte for each packet.
  expect((await network.crossedBytes()) - before).toBeGreaterThanOrEqual(2 * COUNT);
  await network.set(lineOf(60, 0));
  const late = await across(50);
  expect(late.answers).toBe(50);
  expect(late.quickestMs).toBeGreaterThanOrEqual(59);
  await network.set(lineOf(0, LOSS));
  const { answers } = await across();
  expect(answers).toBeGreaterThan(LEAST_ANSWERS);
  expect(answers).toBeLessThan(MOST_ANSWERS);
  await network.set(CLEAN);
  await network.cut();
  const cutAt = await network.crossedBytes();
  expect((await across(20)).answers).toBe(0);
  expect(await network.crossedBytes()).toBe(cutAt);
  await network.heal();
  network.blockUdp();
  expect((await across(20)).answers).toBe(0);
  network.openUdp();
  network.changeAddress();
  expect((await across(20)).answers).toBe(20);
}

describe("the network of the laboratory", () => {
  it("carries, delays, loses, is cut and blocked as it is told, in this process", async () => {
    const port = await freePort();
    await using proxy = await FaultProxy.open(port);
    const echo = createSocket(BEHIND_FAMILY).bind(port, BEHIND);
    echo.on("message", (packet, from) => echo.send(packet, from.port, from.address));
    await once(echo, "listening");
    try {
      await checkLine(proxy, (count) => probe([], "127.0.0.1", port, count));
    } finally {
      echo.close();
    }
  }, 60_000);

  it(`does the same ${NETWORK}`, async () => {
    await using network = await openNamespaces();
    // Without the right to make namespaces there is only the proxy, which the other tests look at.
    if (network === undefined) return expect(NETWORK).toMatch(/proxy/);
    const { pair, emulator } = network;
    expect(await firstLine(inside(pair.relay), ECHO, pair.relayAddress, 9000)).toBe("ready");
    await checkLine(network, (count) => probe(inside(pair.client), pair.relayAddress, 9000, count));
    const [up] = await emulator.counters();
    expect(up.lost).toBeGreaterThan(20);
    expect(up.delivered + up.lost + up.overflowed).toBe(up.taken);
    await network.set(lineOf(0, 0, { burstEnter: 1, burstLeave: 0 }));
    expect((await probe(inside(pair.client), pair.relayAddress, 9000, 20)).answers).toBe(0);
  }, 60_000);

  it("holds TCP back at the line's rate, through a cut, and answers as a captive portal does", async () => {
    const port = await freePort();
    await using proxy = await FaultProxy.open(port);
    const server = createServer((socket) => socket.pipe(socket)).listen(port, BEHIND);
    await once(server, "listening");
    try {
      proxy.set(lineOf(0, 0, { rateMbit: 8 }));
      const client = connect(port, "127.0.0.1");
      const startedMs = performance.now();
      client.write(Buffer.alloc(300_000));
      let received = 0;
      for await (const bytes of client) {
        received += (bytes as Buffer).length;
        if (received === 300_000) break;
      }
      expect(performance.now() - startedMs).toBeGreaterThan(290);
      proxy.setCaptive(true);
      const page = await fetch(`http://127.0.0.1:${port}/api/v1/relay`);
      expect(page.status).toBe(200);
      expect(await page.text()).toContain("Sign in");
    } finally {
      server.close();
    }
  }, 30_000);
});
