/**
 * Running the system's programs that build the laboratory; each takes a few milliseconds, so they are waited for.
 *
 * @module
 */
import { spawnSync } from "node:child_process";

/** How a program ended. */
interface Ran {
  readonly ok: boolean;
  /** Its output, or what it complained of. */
  readonly text: string;
}

/** Runs a program to its end; never throws. `input` is its standard input. */
export function tryRun(program: string, args: readonly string[], input = ""): Ran {
  const ran = spawnSync(program, args, { input, encoding: "utf8", timeout: 60_000 });
  if (ran.error !== undefined) return { ok: false, text: `${program}: ${ran.error.message}` };
  const ok = ran.status === 0;
  return { ok, text: ok ? ran.stdout : `${program} ${args.join(" ")}: ${ran.stderr.trim()}` };
}

/** The same; gives the output. @throws Error with what it complained of */
export function run(program: string, args: readonly string[], input = ""): string {
  const ran = tryRun(program, args, input);
  if (!ran.ok) throw new Error(ran.text);
  return ran.text;
}
