/**
 * A line of TCP in front of a relay that lets so many bytes a second through, which the test changes while it runs.
 *
 * @module
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Bytes are let through in parts of a second this long. */
const STEP_MS = 10;
/** What timers are late is caught up with, as far as this: the rate holds, whatever else the machine does. */
const CATCH_UP_MS = 50;

/** A line. */
export interface SlowLine extends AsyncDisposable {
  readonly port: number;
  /** Towards the browser, all connections together, from now on; Infinity for no limit. */
  setRate(bytesPerSec: number): void;
  /** Bytes that went towards the browser. */
  readonly carriedBytes: number;
  /** Ends all connections and takes no further ones. */
  cut(): void;
}

/**
 * Opens a line to a port of this machine.
 * @param port on which it listens; a free one when 0
 */
export async function openSlowLine(target: () => number, bytesPerSec: number, port = 0): Promise<SlowLine> {
  let rate = bytesPerSec;
  let carriedBytes = 0;
  let isCut = false;
  const sockets = new Set<Socket>();
  /** When the line has let through what it was given. */
  let freeAtMs = 0;
  const pass = (from: Socket, to: Socket) => {
    from.on("data", (bytes) => {
      const now = performance.now();
      freeAtMs = Math.max(freeAtMs, now - CATCH_UP_MS) + (bytes.length * 1000) / rate;
      carriedBytes += bytes.length;
      to.write(bytes);
      const waitMs = freeAtMs - now;
      if (waitMs < STEP_MS) return;
      from.pause();
      setTimeout(() => from.resume(), waitMs);
    });
  };
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const relay = connect(target(), "127.0.0.1");
    for (const [socket, other] of [
      [client, relay],
      [relay, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(relay);
    pass(relay, client);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    setRate: (bytes) => {
      rate = bytes;
    },
    get carriedBytes() {
      return carriedBytes;
    },
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
