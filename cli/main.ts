/**
 * The command line: `npm run warp -- send PATH… | get LINK | info LINK`. Reads the arguments and the secrets, runs one
 * command, and turns its end into an exit code.
 *
 * @module
 */
import { Failure } from "../core/failure.ts";
import { displayPath } from "../core/manifest/display-path.ts";
import { type Command, linkOf, parseCommand, USAGE, UsageError, withLink } from "./arguments.ts";
import type { Context } from "./context.ts";
import { get } from "./get.ts";
import { info } from "./info.ts";
import { sentenceOf } from "./messages.ts";
import { Output, type Streams } from "./output.ts";
import { send } from "./send.ts";
import { readLines } from "./stdin.ts";

/** A terminal, npm and its scripts may each pass on one and the same Ctrl-C. */
const SAME_SIGNAL_MS = 1_000;

const streams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  columns: process.stderr.isTTY ? process.stderr.columns : null,
};

/** Aborts at the first Ctrl-C or the like; a later one ends the program at once. */
function cancelOnSignals(): AbortSignal {
  const cancel = new AbortController();
  let first: number | undefined;
  const onSignal = (): void => {
    first ??= performance.now();
    if (performance.now() - first > SAME_SIGNAL_MS) process.exit(1);
    cancel.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  return cancel.signal;
}

async function withSecrets(command: Command): Promise<{ command: Command; password: string | null }> {
  const linkWanted = linkOf(command) === "-";
  const lines = await readLines(process.stdin, Number(linkWanted) + Number(command.passwordStdin));
  const password = command.passwordStdin ? (lines.at(-1) ?? null) : null;
  return { command: linkWanted ? withLink(command, (lines[0] ?? "").trim()) : command, password };
}

async function run(command: Command, context: Context): Promise<void> {
  if (command.name === "send") await send(command, context, process.env["WARP_INVITE"]);
  else if (command.name === "get") await get(command, context);
  else await info(command, context);
}

/** Says why it did not work. Gives the exit code. */
function report(error: unknown, output: Output): number {
  if (error instanceof UsageError) {
    const text = `${displayPath(error.message)} --help tells more.`;
    output.say({ type: "failed", code: "usage", message: error.message }, text);
    return 2;
  }
  if (!(error instanceof Failure)) {
    // A bug: its stack names files of this program only, but its message may hold anything.
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const shown = text.split("\n").map(displayPath).join("\n");
    output.say({ type: "failed", code: "bug", message: shown }, `This is a bug, please report it.\n${shown}`);
    return 1;
  }
  const message = sentenceOf(error);
  output.say({ type: "failed", code: error.code, message }, `${error.code}: ${message}`);
  return 1;
}

async function main(args: readonly string[]): Promise<number> {
  let output = new Output(streams, args.includes("--json"));
  const signal = cancelOnSignals();
  try {
    const parsed = parseCommand(args);
    if (parsed === "help") {
      streams.out(USAGE);
      return 0;
    }
    output = new Output(streams, parsed.json);
    const { command, password } = await withSecrets(parsed);
    await run(command, { output, signal, password });
    return 0;
  } catch (error) {
    return report(signal.aborted ? new Failure("cancelled") : error, output);
  }
}

const code = await main(process.argv.slice(2));
// What still waits (a long poll, a heartbeat) must not keep the program open; what was printed must come out first.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
