/**
 * A real relay in a process of its own, as `npm start` runs it, on a free port with a store of its own.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { PINNED_NODE, ROOT } from "../../scripts/lib/process.ts";

const START_MS = 20_000;
const STOP_MS = 20_000;

/** How a relay is started. */
export interface RelayOptions {
  /** A port from an earlier relay, to come back on; a free one when absent. */
  readonly port?: number;
  /** The store of an earlier relay, which the caller removes; a fresh one when absent. */
  readonly dataDir?: string;
  /** More environment, over what tests inherit. */
  readonly env?: Readonly<Record<string, string>>;
  /** False for one that starts on a broken disk and says that it is not ready. */
  readonly mustBeReady?: boolean;
  /** Another program than the relay, for testing this file. */
  readonly main?: string;
  /** The address on which it listens and answers this process; the loopback one when absent. */
  readonly host?: string;
  /** Words before the command line, such as those that make it run in a network namespace. */
  readonly prefix?: readonly string[];
}

/** A relay that answers. */
export interface RunningRelay extends AsyncDisposable {
  /** `http://localhost:PORT`, or with the host that was asked for; without a trailing slash. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dataDir: string;
  /** Everything it printed so far. */
  output(): string;
  /** Asks it to end and waits for it; gives its exit code. Throws when it does not end. The store stays. */
  stop(): Promise<number | null>;
  /** Ends it at once, as a crash does, and waits until it is gone. The store stays. */
  kill(): Promise<void>;
}

/** A port number that is free over both TCP and UDP on the loopback address. */
export async function freePort(): Promise<number> {
  for (;;) {
    const tcp = createServer().listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const address = tcp.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const udp = createSocket("udp4");
    const free = await new Promise<boolean>((resolve) => {
      udp.on("error", () => resolve(false)).bind(port, "127.0.0.1", () => resolve(true));
    });
    udp.close();
    tcp.close();
    await once(tcp, "close");
    if (free) return port;
  }
}

/**
 * Starts a relay and waits until it says where it listens and `/readyz` agrees. Disposing kills it and removes the
 * store made for it.
 * @throws Error with what the relay printed, when it ends or stays silent instead
 */
export async function launchRelay(options: RelayOptions = {}): Promise<RunningRelay> {
  const port = options.port ?? (await freePort());
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "warp-relay-")));
  const removeData = async (): Promise<void> => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  const { host = "127.0.0.1", prefix = [] } = options;
  const [program = "", ...args] = [...prefix, PINNED_NODE, resolve(ROOT, options.main ?? "relay-server/src/main.ts")];
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      PORT: String(port),
      HOST: host,
      DATA_DIR: dataDir,
      NODE_ENV: "test",
      // All tests come from one address.
      MAX_CREATES_PER_HOUR: "1000000",
      ...options.env,
    },
  });
  const exited = new Promise<number | null>((resolve) => child.on("exit", resolve).on("error", () => resolve(null)));
  let output = "";
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  // The address for people, not a port in a log line: only then is HTTP listening.
  const address = new RegExp(`https?://[^\\s"]+:${port}\\b`);
  const said = new Promise<void>((resolve) => {
    const collect = (text: string): void => {
      output += text;
      if (address.test(output)) resolve();
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
  });
  const name = options.host ?? "localhost";
  const url = `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
  const fail = async (why: string): Promise<never> => {
    await kill();
    await removeData();
    throw new Error(`the relay ${why}; it printed:\n${output}`);
  };

  const started = await within(
    START_MS,
    Promise.race([said.then(() => "said" as const), exited.then(() => "ended" as const)]),
  );
  if (started !== "said") return fail(started === "ended" ? "ended at once" : `said nothing for ${START_MS} ms`);
  const ready = await fetch(`${url}/readyz`).catch((error: unknown) => error);
  if (!(ready instanceof Response) || (!ready.ok && options.mustBeReady !== false)) {
    return fail(`is not ready (${ready instanceof Response ? ready.status : String(ready)})`);
  }

  return {
    url,
    port,
    pid: child.pid ?? 0,
    dataDir,
    output: () => output,
    kill,
    async stop() {
      child.kill("SIGTERM");
      const code = await within(STOP_MS, exited);
      return code === undefined ? fail(`did not end within ${STOP_MS} ms of SIGTERM`) : code;
    },
    async [Symbol.asyncDispose]() {
      await kill();
      await removeData();
    },
  };
}

/** What `promise` gives, or undefined when it has not within `limitMs`. */
async function within<T>(limitMs: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
