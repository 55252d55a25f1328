/**
 * The command line as a process of its own, as people and scripts run it.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readdir, watch } from "node:fs/promises";
import { join } from "node:path";
import { PINNED_NODE, ROOT } from "../../scripts/lib/process.ts";

export const CLI_MAIN: string = join(ROOT, "cli/main.ts");

/** How it ended. */
export interface CliResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. */
export interface CliProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly result: Promise<CliResult>;
  /** Resolves with the first match in what it printed on either stream; throws when it ends without one. */
  printed(pattern: RegExp): Promise<string>;
}

export interface CliOptions {
  /** What it reads from standard input, to its end. */
  readonly input?: string;
  /** A shell command that is put before the program, for example a limit. */
  readonly shellPrefix?: string;
}

/** Starts a command. Disposing ends it. */
export function startCli(args: readonly string[], options: CliOptions = {}): CliProcess {
  const { input, shellPrefix } = options;
  const spawnOptions = { stdio: "pipe" as const };
  const whole = [CLI_MAIN, ...args];
  const child =
    shellPrefix === undefined
      ? spawn(PINNED_NODE, whole, spawnOptions)
      : spawn("sh", ["-c", `${shellPrefix}; exec "$0" "$@"`, PINNED_NODE, ...whole], spawnOptions);
  const said = { out: "", err: "" };
  const listeners = new Set<() => void>();
  const collect = (stream: "out" | "err") => (text: string) => {
    said[stream] += text;
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding("utf8").on("data", collect("out"));
  child.stderr.setEncoding("utf8").on("data", collect("err"));
  child.stdin.on("error", () => {}); // it may end before it read all
  child.stdin.end(input ?? "");
  const result = new Promise<CliResult>((resolve, reject) => {
    child.on("error", reject).on("close", (code) => resolve({ code, ...said }));
  });
  return {
    process: child,
    result,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(said.out) ?? pattern.exec(said.err);
          if (match === null) return;
          listeners.delete(look);
          resolve(match[0]);
        };
        listeners.add(look);
        look();
        result.then(
          () => reject(new Error(`ended without printing ${pattern}; it printed:\n${said.out}${said.err}`)),
          reject,
        );
      }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await result.catch(() => {});
    },
  };
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  await using running = startCli(args, options);
  return await running.result;
}

/** A whole link, as `send` prints it. */
export const LINK: RegExp = /https?:\/\/[^\s"]+\/p\/[\w-]{22}#1\.[\w-]{43}\.[\w-]{4}/;

/** Sends paths to the end and gives the link. @throws Error with what it printed when it fails */
export async function sendAll(args: readonly string[], options: CliOptions = {}): Promise<string> {
  const { code, out, err } = await runCli(["send", ...args], options);
  const link = LINK.exec(out)?.[0];
  if (code !== 0 || link === undefined) throw new Error(`send ended with ${code}:\n${out}${err}`);
  return link;
}

/** Holds a sender still until the receiver runs, so that the receiver is live on a machine of any speed. */
export async function startReceiverFirst(sender: CliProcess, args: readonly string[]): Promise<CliProcess> {
  sender.process.kill("SIGSTOP");
  const receiver = startCli(args);
  await receiver.printed(/"type":"progress"/);
  sender.process.kill("SIGCONT");
  return receiver;
}

/** Waits until a name of this form is in a folder, which is made where it is missing. */
export async function appears(folder: string, name: RegExp): Promise<void> {
  await mkdir(folder, { recursive: true });
  const stop = new AbortController();
  const changes = watch(folder, { signal: stop.signal });
  const next = changes[Symbol.asyncIterator]();
  try {
    for (let change = next.next(); ; change = next.next()) {
      change.catch(() => {}); // stopped
      if ((await readdir(folder)).some((found) => name.test(found))) return;
      await change;
    }
  } finally {
    stop.abort();
  }
}
