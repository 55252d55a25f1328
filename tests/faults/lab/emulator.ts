/**
 * The line between two network namespaces: tunem.c, compiled when it is first needed, and its orders.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../../../scripts/lib/process.ts";
import { tryRun } from "./command.ts";
import type { Line } from "./line.ts";

const SOURCE = join(ROOT, "tests/faults/lab/tunem.c");
const FOLDER = join(ROOT, ".cache/lab");

/** What packets of one direction met. */
export interface Counters {
  readonly taken: number;
  readonly lost: number;
  /** Dropped because the queue was full. */
  readonly overflowed: number;
  readonly delivered: number;
  /** Of the packets delivered, with their headers. */
  readonly bytes: number;
}

/** The program, compiled if this version of it was not yet; undefined where there is no C compiler that can. */
export function compileEmulator(): string | undefined {
  const version = createHash("sha256").update(readFileSync(SOURCE)).digest("hex").slice(0, 12);
  const program = join(FOLDER, `tunem-${version}`);
  if (existsSync(program)) return program;
  mkdirSync(FOLDER, { recursive: true });
  // Two runs may compile at once: each its own file, and the last one stays.
  const own = `${program}.${process.pid}`;
  if (!tryRun("cc", ["-O2", "-o", own, SOURCE]).ok) return undefined;
  renameSync(own, program);
  return program;
}

/** A running emulator. It ends when this process does. */
export class Emulator implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #complaint = "";
  /** Orders are given one after the other. */
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(program: string, a: string, b: string) {
    const child = spawn(program, [a, b], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint += text;
    });
    child.stdin.on("error", () => {}); // it ended; the missing answer tells
  }

  /** Makes the devices `warp0` of two namespaces and the line between them. @throws Error with what it complained of */
  static async start(program: string, a: string, b: string): Promise<Emulator> {
    const emulator = new Emulator(program, a, b);
    await emulator.#expect("ready");
    return emulator;
  }

  async set(line: Line): Promise<void> {
    const fields = [line.delayMs, line.jitterMs, line.loss, line.rateMbit, line.queuePackets, line.reorder];
    await this.#order(["line", ...fields, line.burstEnter, line.burstLeave].join(" "));
  }

  async cut(): Promise<void> {
    await this.#order("cut");
  }

  async heal(): Promise<void> {
    await this.#order("heal");
  }

  /** From the first namespace to the second, and back. */
  async counters(): Promise<readonly [Counters, Counters]> {
    return JSON.parse(await this.#ask("counters"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.kill("SIGKILL");
    await gone;
  }

  #ask(order: string): Promise<string> {
    const answer = this.#tail.then(() => {
      this.#child.stdin?.write(`${order}\n`);
      return this.#next();
    });
    this.#tail = answer.catch(() => {});
    return answer;
  }

  async #order(order: string): Promise<void> {
    const answer = await this.#ask(order);
    if (answer !== "ok") throw new Error(`tunem: ${answer}`);
  }

  async #next(): Promise<string> {
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`the emulator ended: ${this.#complaint}`);
    return value;
  }

  async #expect(wanted: string): Promise<void> {
    const said = await this.#next();
    if (said !== wanted) throw new Error(`tunem: ${said}`);
  }
}
