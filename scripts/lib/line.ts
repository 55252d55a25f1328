/**
 * The one-line summary of a stage.
 *
 * @module
 */

/** `ok    types of core                      1.2 s  detail` */
export function line(ok: boolean, name: string, elapsedMs: number, detail = ""): string {
  const seconds = `${(elapsedMs / 1000).toFixed(1)} s`;
  return `${ok ? "ok    " : "FAILED"} ${name.padEnd(38)} ${seconds.padStart(8)}  ${detail}`.trimEnd();
}
