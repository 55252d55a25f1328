/**
 * A bad network in this process, for machines that permit no network namespaces: a proxy between browsers and the relay,
 * on the same port of two loopback addresses. UDP packets meet everything that a line does; of TCP there are only bytes
 * here, so a lost segment is one that comes a round trip later. It can also play a captive portal.
 *
 * @module
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { CLEAN, type Line } from "./line.ts";

const SEGMENT_BYTES = 1448;
const PACKET_BYTES = 1500;
/** Bytes of one connection that may wait here, a few round trips of a fast line. */
const HELD_BYTES = 1024 * 1024;
const SIGN_IN = "<!doctype html><title>Guest network</title><h1>Sign in to use this network</h1>";
const SIGN_IN_ANSWER = [
  "HTTP/1.1 200 OK",
  "Content-Type: text/html",
  `Content-Length: ${SIGN_IN.length}`,
  "Connection: close",
  "",
  SIGN_IN,
].join("\r\n");

/** Where what is behind the proxy listens: only Linux has the rest of 127.0.0.0 without being told. */
export const BEHIND: string = process.platform === "linux" ? "127.0.0.2" : "::1";

/** A UDP socket of this kind reaches it. */
export const BEHIND_FAMILY: "udp4" | "udp6" = BEHIND.includes(":") ? "udp6" : "udp4";

/** Which way bytes go; each has the line's rate for itself. */
type Direction = "up" | "down";

export class FaultProxy implements AsyncDisposable {
  readonly #port: number;
  readonly #tcp: Server;
  readonly #udp: UdpSocket;
  readonly #connections = new Set<Socket>();
  /** A socket towards the relay for each address that packets come from. */
  readonly #flows = new Map<string, UdpSocket>();
  readonly #busyUntilMs: Record<Direction, number> = { up: 0, down: 0 };
  readonly #isBad: Record<Direction, boolean> = { up: false, down: false };
  #line: Line = CLEAN;
  #healed: PromiseWithResolvers<void> | undefined;
  #isUdpBlocked = false;
  #isCaptive = false;
  #crossedBytes = 0;

  private constructor(port: number) {
    this.#port = port;
    this.#tcp = createServer({ noDelay: true }, (client) => this.#accept(client));
    this.#udp = createSocket("udp4", (packet, { address, port }) => this.#forward(packet, address, port));
  }

  /** Listens on 127.0.0.1, before the same port of `BEHIND`. */
  static async open(port: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(port);
    proxy.#tcp.listen(port, "127.0.0.1");
    await once(proxy.#tcp, "listening");
    proxy.#udp.bind(port, "127.0.0.1");
    await once(proxy.#udp, "listening");
    return proxy;
  }

  /** Bytes of segments and packets that it handed on. */
  crossedBytes(): number {
    return this.#crossedBytes;
  }

  set(line: Line): void {
    this.#line = line;
  }

  cut(): void {
    this.#healed ??= Promise.withResolvers();
  }

  heal(): void {
    this.#healed?.resolve();
    this.#healed = undefined;
  }

  blockUdp(): void {
    this.#isUdpBlocked = true;
  }

  openUdp(): void {
    this.#isUdpBlocked = false;
  }

  /** The relay sees other addresses from now on: connections over TCP are gone, packets come from new ports. */
  changeAddress(): void {
    for (const socket of this.#connections) socket.destroy();
    for (const flow of this.#flows.values()) flow.close();
    this.#flows.clear();
  }

  /** From now on every request is answered by a page to sign in, and nothing else gets through; or no longer. */
  setCaptive(isCaptive: boolean): void {
    this.#isCaptive = isCaptive;
    this.#isUdpBlocked = isCaptive;
    if (isCaptive) this.changeAddress();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.heal();
    this.#tcp.close();
    this.changeAddress();
    this.#udp.close();
  }

  #accept(client: Socket): void {
    this.#keep(client);
    if (this.#isCaptive) {
      client.once("data", () => client.end(SIGN_IN_ANSWER));
      return;
    }
    const relay = connect({ port: this.#port, host: BEHIND, noDelay: true });
    this.#keep(relay);
    client.on("close", () => relay.destroy());
    relay.on("close", () => client.destroy());
    this.#pump(client, relay, "up");
    this.#pump(relay, client, "down");
  }

  #keep(socket: Socket): void {
    this.#connections.add(socket);
    socket.on("error", () => {}); // "close" follows and tells the other side
    socket.on("close", () => this.#connections.delete(socket));
  }

  #pump(from: Socket, to: Socket, direction: Direction): void {
    let tail = Promise.resolve();
    let heldBytes = 0;
    from.on("data", (bytes: Buffer) => {
      heldBytes += bytes.length;
      if (heldBytes > HELD_BYTES) from.pause();
      const segments = Math.ceil(bytes.length / SEGMENT_BYTES);
      let lateMs = 0;
      for (let i = 0; i < segments; i++) if (this.#isLost(direction)) lateMs = 2 * this.#line.delayMs;
      const arrived = later(this.#sendMs(direction, bytes.length) + this.#delayMs() + lateMs);
      tail = tail.then(async () => {
        await arrived;
        while (this.#healed !== undefined) await this.#healed.promise;
        heldBytes -= bytes.length;
        this.#crossedBytes += bytes.length;
        if (heldBytes <= HELD_BYTES) from.resume();
        if (!to.destroyed && !to.write(bytes))
          await Promise.race([once(to, "drain"), once(to, "close")]).catch(() => {});
      });
    });
    from.on("end", () => void tail.then(() => to.end()));
  }

  #forward(packet: Buffer, address: string, port: number): void {
    const key = `${address}:${port}`;
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      flow = createSocket(BEHIND_FAMILY, (answer) => {
        this.#carry(answer, "down", () => this.#udp.send(answer, port, address));
      });
      flow.on("error", () => {}); // nobody listens there just now
      this.#flows.set(key, flow);
    }
    this.#carry(packet, "up", () => {
      this.#flows.get(key)?.send(packet, this.#port, BEHIND);
    });
  }

  #carry(packet: Buffer, direction: Direction, deliver: () => void): void {
    if (this.#isUdpBlocked || this.#healed !== undefined || this.#isLost(direction)) return;
    const { rateMbit, queuePackets, reorder } = this.#line;
    const queuedMs = this.#busyUntilMs[direction] - performance.now();
    if (rateMbit > 0 && queuedMs * rateMbit * 125 > queuePackets * PACKET_BYTES) return;
    const delayMs = Math.random() < reorder ? 0 : this.#delayMs();
    void later(this.#sendMs(direction, packet.length) + delayMs).then(() => {
      if (this.#isUdpBlocked) return;
      this.#crossedBytes += packet.length;
      deliver();
    });
  }

  /** Milliseconds until these bytes have left at the line's rate. */
  #sendMs(direction: Direction, bytes: number): number {
    if (this.#line.rateMbit === 0) return 0;
    const now = performance.now();
    const untilMs = Math.max(now, this.#busyUntilMs[direction]) + bytes / (this.#line.rateMbit * 125);
    this.#busyUntilMs[direction] = untilMs;
    return untilMs - now;
  }

  #delayMs(): number {
    return Math.max(0, this.#line.delayMs + (Math.random() * 2 - 1) * this.#line.jitterMs);
  }

  #isLost(direction: Direction): boolean {
    const { loss, burstEnter, burstLeave } = this.#line;
    if (Math.random() < (this.#isBad[direction] ? burstLeave : burstEnter))
      this.#isBad[direction] = !this.#isBad[direction];
    return this.#isBad[direction] || Math.random() < loss;
  }
}

function later(ms: number): Promise<void> {
  return ms < 1 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
