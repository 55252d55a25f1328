/**
 * Running one tool as a child process: its output, its time, and an end even when it hangs.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of the repository's root, without a trailing slash. */
export const ROOT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The Node that the product runs on, whatever Node started this process. */
export const PINNED_NODE: string = join(
  ROOT,
  "node_modules/node/bin",
  process.platform === "win32" ? "node.exe" : "node",
);

/** How a tool ended. */
export interface Ran {
  readonly ok: boolean;
  /** Both streams in the order they came; empty when the output was shown live. */
  readonly output: string;
  readonly elapsedMs: number;
}

export interface RunOptions {
  /** Show the output as it comes instead of collecting it. */
  readonly live?: boolean;
  /** After this the tool is ended and counts as failed. */
  readonly timeoutMs?: number;
}

/** Runs a program with arguments in the repository's root. Never rejects: a program that cannot start has failed. */
export function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: options.live ? "inherit" : ["ignore", "pipe", "pipe"] });
    let output = "";
    const collect = (text: string): void => {
      output += text;
    };
    child.stdout?.setEncoding("utf8").on("data", collect);
    child.stderr?.setEncoding("utf8").on("data", collect);
    const limitMs = options.timeoutMs ?? 10 * 60_000;
    const timer = setTimeout(() => {
      collect(`\nended after ${limitMs / 1000} s without a result\n`);
      child.kill("SIGKILL");
    }, limitMs);
    const finish = (ok: boolean): void => {
      clearTimeout(timer);
      resolve({ ok, output, elapsedMs: performance.now() - started });
    };
    child.on("error", (error) => {
      collect(`${program}: ${error.message}\n`);
      finish(false);
    });
    child.on("close", (code) => finish(code === 0));
  });
}

/** Runs a JavaScript entry point of the repository (a path relative to its root) under the pinned Node. */
export function runScript(entry: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return runProgram(PINNED_NODE, [join(ROOT, entry), ...args], options);
}
