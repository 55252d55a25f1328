/**
 * Builds what the CPU engine loads, into kernels/dist/: the AssemblyScript kernels as SIMD WASM, and a copy of the
 * Zstandard library's WASM, whose exports kernels/zstd.ts knows by the letters of exactly this build. Does nothing when
 * both are up to date. Runs under Node 20 and newer.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCE = join(ROOT, "kernels/assembly");
const DIST = join(ROOT, "kernels/dist");
const STAMP = join(DIST, "kernels.sha256");
const ZSTD = join(ROOT, "node_modules/@bokuweb/zstd-wasm/dist/esm/zstd.wasm");
const ZSTD_SHA256 = "80260eee5795ee8072bb5821e203730c74dca3909938f5ac1128da67f96223df";

/** Pages of 64 KiB: the whole memory of the kernels, for good. memory.ts lays it out. */
const MEMORY_PAGES = 224;
const FLAGS = ["-O3", "--enable", "simd", "--runtime", "stub", "--noAssert", "--use", "abort="];

/** SHA-256 over this script and everything that the compiler reads, in hex. */
function digest() {
  const hash = createHash("sha256").update(asc.version);
  const sources = readdirSync(SOURCE).filter((name) => name.endsWith(".ts"));
  for (const path of [fileURLToPath(import.meta.url), ...sources.sort().map((name) => join(SOURCE, name))]) {
    hash.update(path.slice(ROOT.length)).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}

/**
 * Writes beside and renames, so that nobody ever loads half a file.
 * @param {string} name
 * @param {string | Uint8Array} content
 */
function put(name, content) {
  const beside = join(DIST, `${name}.${process.pid}`);
  writeFileSync(beside, content);
  renameSync(beside, join(DIST, name));
}

async function compileKernels() {
  const pages = String(MEMORY_PAGES);
  const memory = ["--initialMemory", pages, "--maximumMemory", pages];
  /** @type {Uint8Array | undefined} */
  let wasm;
  const { error, stderr } = await asc.main(
    ["index.ts", ...FLAGS, ...memory, "--baseDir", SOURCE, "--outFile", "kernels.wasm"],
    {
      writeFile: (_name, content) => {
        if (typeof content !== "string") wasm = content;
      },
    },
  );
  if (error !== null || wasm === undefined) throw new Error(`the kernels do not compile\n${stderr.toString()}`);
  put("kernels.wasm", wasm);
}

function copyZstd() {
  const wasm = readFileSync(ZSTD);
  const found = createHash("sha256").update(wasm).digest("hex");
  if (found !== ZSTD_SHA256) {
    throw new Error(`zstd.wasm changed (SHA-256 ${found}): check the letters of its exports in kernels/zstd.ts`);
  }
  put("zstd.wasm", wasm);
}

const outputs = ["kernels.wasm", "zstd.wasm", "kernels.sha256"].map((name) => join(DIST, name));
const wanted = digest();
if (!outputs.every(existsSync) || readFileSync(STAMP, "utf8") !== wanted) {
  mkdirSync(DIST, { recursive: true });
  await compileKernels();
  copyZstd();
  put("kernels.sha256", wanted);
}
