/**
 * Two network namespaces with a line between them: one for the relay, one for browsers. The test process reaches the
 * relay over a link of its own, which no fault touches, under the same address as the browsers do.
 *
 * @module
 */
import { run, tryRun } from "./command.ts";

/** Addresses come from the range that is set aside for tests of networks (RFC 2544), 16 for each pair. */
const FIRST_ADDRESS = 198 * 2 ** 24 + 18 * 2 ** 16;
const BLOCK_ADDRESSES = 16;
const BLOCKS = 2 ** 17 / BLOCK_ADDRESSES;
/** Places in a block. */
const RELAY = 1;
const CLIENT = 2;
const CLIENTS = 6;
const TESTER = 14;
const DEVICE = "warp0";
const NAME = /^warp-(\d+)-\d+-(?:relay|client)\b/;

let made = 0;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Removes a namespace and what runs in it. */
function remove(name: string): void {
  for (const pid of tryRun("ip", ["netns", "pids", name]).text.split("\n").map(Number)) {
    if (!(pid > 0)) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // ended already
    }
  }
  tryRun("ip", ["netns", "delete", name]);
}

/** Removes what test runs left that were killed themselves. */
export function removeStale(): void {
  for (const line of tryRun("ip", ["netns", "list"]).text.split("\n")) {
    const [name = "", pid = ""] = NAME.exec(line) ?? [];
    if (name !== "" && !isRunning(Number(pid))) remove(name);
  }
}

/** The words before a command that make it run in a namespace. */
export function inside(namespace: string): readonly string[] {
  return ["ip", "netns", "exec", namespace];
}

/** A pair of namespaces. The line's devices appear when an emulator is started on it; `connect` then gives addresses. */
export class NamespacePair implements Disposable {
  readonly relay: string;
  readonly client: string;
  readonly #block: number;
  readonly #tester: string;
  #client = CLIENT;

  /** @throws Error where namespaces are not permitted */
  constructor() {
    const id = `${process.pid}-${made++}`;
    this.relay = `warp-${id}-relay`;
    this.client = `warp-${id}-client`;
    this.#block = (process.pid * 8 + made) % BLOCKS;
    this.#tester = `wl${id}`;
    try {
      for (const name of [this.relay, this.client]) {
        run("ip", ["netns", "add", name]);
        run("ip", ["-n", name, "link", "set", "lo", "up"]);
      }
      this.#connectTester();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Where the relay listens. */
  get relayAddress(): string {
    return this.#address(RELAY);
  }

  /** Gives addresses and routes to the devices of the line. */
  connect(): void {
    for (const name of [this.relay, this.client])
      run("ip", ["-n", name, "link", "set", DEVICE, "mtu", "1500", "txqueuelen", "5000", "up"]);
    run("ip", ["-n", this.relay, "address", "add", this.relayAddress, "dev", DEVICE]);
    run("ip", ["-n", this.relay, "route", "add", `${this.#address(0)}/29`, "dev", DEVICE]);
    run("ip", ["-n", this.client, "address", "add", this.#address(this.#client), "dev", DEVICE]);
    run("ip", ["-n", this.client, "route", "add", this.relayAddress, "dev", DEVICE]);
  }

  /** Gives the browsers' side another address, and takes the old one away. */
  changeAddress(): void {
    const old = this.#address(this.#client);
    this.#client = this.#client === CLIENTS ? CLIENT : this.#client + 1;
    const address = this.#address(this.#client);
    run("ip", ["-n", this.client, "address", "add", address, "dev", DEVICE]);
    run("ip", ["-n", this.client, "route", "replace", this.relayAddress, "dev", DEVICE, "src", address]);
    run("ip", ["-n", this.client, "address", "delete", old, "dev", DEVICE]);
  }

  /** How both ends send over TCP from now on, by the kernel's name for it, such as `cubic`. @throws Error without it */
  setCongestionControl(name: string): void {
    const to = (device: string) => ["dev", device, "congctl", name];
    run("ip", ["-n", this.client, "route", "change", this.relayAddress, ...to(DEVICE)]);
    run("ip", ["-n", this.relay, "route", "change", `${this.#address(0)}/29`, ...to(DEVICE)]);
  }

  [Symbol.dispose](): void {
    remove(this.client);
    remove(this.relay);
    tryRun("ip", ["link", "delete", this.#tester]);
  }

  /** Both ends of this link answer for the relay's address, so that the test's way to the relay avoids the line. */
  #connectTester(): void {
    const tester = this.#address(TESTER);
    run("ip", ["link", "add", this.#tester, "type", "veth", "peer", "name", "tester", "netns", this.relay]);
    run("ip", ["address", "add", tester, "peer", this.relayAddress, "dev", this.#tester]);
    run("ip", ["link", "set", this.#tester, "up"]);
    run("ip", ["-n", this.relay, "link", "set", "tester", "up"]);
    run("ip", ["-n", this.relay, "route", "add", tester, "dev", "tester"]);
  }

  #address(place: number): string {
    const number = FIRST_ADDRESS + this.#block * BLOCK_ADDRESSES + place;
    return [24, 16, 8, 0].map((bits) => (number >>> bits) & 255).join(".");
  }
}
