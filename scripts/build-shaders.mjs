/**
 * Builds what the GPU engine loads: the text of every WGSL shader, its includes put in, as one TypeScript module,
 * shaders/dist/sources.ts. A `.wgsl` file with an entry point is a shader, the others are there to be included by a line
 * `// include "NAME.wgsl"`. Does nothing when the module is up to date. Runs under Node 20 and newer.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(import.meta.url);
const SOURCE = join(dirname(dirname(SCRIPT)), "shaders");
const DIST = join(SOURCE, "dist");
const TARGET = join(DIST, "sources.ts");
const INCLUDE = /^\/\/ include "([a-z0-9-]+\.wgsl)"$/gm;

/** @type {ReadonlyMap<string, string>} Text by file name, sorted. */
const texts = new Map(
  readdirSync(SOURCE)
    .filter((name) => name.endsWith(".wgsl"))
    .sort()
    .map((name) => [name, readFileSync(join(SOURCE, name), "utf8").replaceAll("\r\n", "\n")]),
);

/** SHA-256 over this script and everything that it reads, in hex. */
function digest() {
  const hash = createHash("sha256").update(readFileSync(SCRIPT));
  for (const [name, text] of texts) hash.update(`\0${name}\0${text}`);
  return hash.digest("hex");
}

/**
 * A file's text with its includes in place of the lines that ask for them; one level, so that nothing comes twice.
 * @param {string} name
 */
function expand(name) {
  return (texts.get(name) ?? "").replace(INCLUDE, (_line, /** @type {string} */ included) => {
    const text = texts.get(included);
    if (text === undefined) throw new Error(`shaders/${name} includes ${included}, which does not exist`);
    if (text.search(INCLUDE) >= 0) throw new Error(`shaders/${included} is included and includes another file itself`);
    return text.trimEnd();
  });
}

/** @param {string} stamp */
function moduleText(stamp) {
  const names = [...texts].filter(([, text]) => /^@compute\b/m.test(text)).map(([name]) => basename(name, ".wgsl"));
  return [
    "/**",
    " * The WGSL sources, put together by scripts/build-shaders.mjs; not to be edited.",
    " *",
    " * @module",
    " */",
    `// ${stamp}`,
    `export type ShaderName = ${names.map((name) => JSON.stringify(name)).join(" | ") || "never"};`,
    "",
    "export const SOURCES: Readonly<Record<ShaderName, string>> = {",
    ...names.map((name) => `  ${JSON.stringify(name)}: ${JSON.stringify(expand(`${name}.wgsl`))},`),
    "};",
    "",
  ].join("\n");
}

const stamp = digest();
if (!existsSync(TARGET) || !readFileSync(TARGET, "utf8").includes(`// ${stamp}\n`)) {
  mkdirSync(DIST, { recursive: true });
  // Written beside and renamed, so that nobody ever loads half a file.
  const beside = `${TARGET}.${process.pid}`;
  writeFileSync(beside, moduleText(stamp));
  renameSync(beside, TARGET);
}
