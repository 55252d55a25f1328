/**
 * The one way in: `node scripts/run.mjs NAME [ARGS…]` runs scripts/NAME.ts under the pinned Node from node_modules,
 * installing the dependencies first where they are missing or stale. Plain JavaScript for any Node.js 20 or newer;
 * nothing else of the repository needs to run there.
 *
 * @module
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pinnedNode = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");

/**
 * @param {string} why one sentence for the person at the terminal
 * @returns {never}
 */
function stop(why) {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}

/**
 * @param {string} path of a lock file
 * @returns {Record<string, { version?: string, optional?: boolean, devOptional?: boolean, peer?: boolean }>}
 */
function lockedPackages(path) {
  return JSON.parse(readFileSync(path, "utf8")).packages ?? {};
}

/**
 * Optional packages belong to other platforms, and peers are left out by some npm settings: their absence is no fault.
 *
 * @param {{ optional?: boolean, devOptional?: boolean, peer?: boolean }} locked
 */
function isOptional(locked) {
  return locked.optional || locked.devOptional || locked.peer;
}

/** True when what npm noted in node_modules has every package of the lock file, at its version. */
function isInstalled() {
  const noted = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(noted) || !existsSync(pinnedNode)) return false;
  const have = lockedPackages(noted);
  return Object.entries(lockedPackages(join(root, "package-lock.json"))).every(
    ([path, wanted]) => path === "" || isOptional(wanted) || have[path]?.version === wanted.version,
  );
}

/** @param {string[]} args */
function npm(args) {
  const cli = process.env.npm_execpath;
  const quiet = [...args, "--loglevel=error", "--no-progress", "--no-fund", "--no-audit"];
  const options = { cwd: root, encoding: /** @type {const} */ ("utf8"), env: { ...process.env, NODE_ENV: "" } };
  const ran = cli?.endsWith(".js")
    ? spawnSync(process.execPath, [cli, ...quiet], options)
    : spawnSync("npm", quiet, { ...options, shell: process.platform === "win32" });
  if (ran.error) stop(`npm could not be started (${ran.error.message}). Install Node.js 20 or newer with npm.`);
  if (ran.status !== 0) stop(`${ran.stdout}${ran.stderr}\nnpm ${args.join(" ")} failed; its messages are above.`);
}

function ensureInstalled() {
  if (isInstalled()) return;
  process.stderr.write("Installing dependencies (once) …\n");
  const started = Date.now();
  // Not `npm ci`: it refuses a lock file that lacks some other platform's optional binaries, which is what npm writes
  // where a registry mirror does not carry them. `--no-save` takes every locked version and leaves the lock file alone.
  npm(["install", "--no-save", "--include=dev"]);
  // A machine-wide `ignore-scripts` leaves the pinned Node without its binary.
  if (!existsSync(pinnedNode)) npm(["rebuild", "node", "--ignore-scripts=false"]);
  if (!existsSync(pinnedNode))
    stop(`The npm package "node" brought no binary for ${process.platform}-${process.arch}.`);
  process.stderr.write(`Installed in ${Math.round((Date.now() - started) / 1000)} s.\n`);
}

if (Number(process.versions.node.split(".")[0]) < 20) {
  stop(`Node.js 20 or newer is needed; this is ${process.versions.node}.`);
}
const [name = "", ...args] = process.argv.slice(2);
const script = join(root, "scripts", `${name}.ts`);
if (!/^[a-z-]+$/.test(name) || !existsSync(script)) stop("usage: node scripts/run.mjs NAME [ARGS…]");
ensureInstalled();

const child = spawn(pinnedNode, [script, ...args], {
  cwd: root,
  stdio: "inherit",
  env: {
    INIT_CWD: process.cwd(),
    // Types are stripped once, which also spares every later process the 30 MiB of the stripper.
    NODE_COMPILE_CACHE: join(root, ".cache", "node"),
    ...process.env,
    PATH: `${dirname(pinnedNode)}${delimiter}${process.env.PATH ?? ""}`,
  },
});
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => child.kill(signal));
}
// npm runs scripts through a shell that dies of a signal without passing it on. Whoever has lost the parent must go too.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid !== parent) child.kill("SIGTERM");
}, 500);
watch.unref();
child.on("error", (error) => stop(`The pinned Node could not be started: ${error.message}`));
child.on("exit", (code, signal) => {
  process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
});
