/**
 * Names that harm somebody somewhere: readers, terminals, file systems, shells, archives. For each it is said here, and not
 * asked of the code under test, whether a manifest may hold it.
 *
 * @module
 */
import fc from "fast-check";
import type { PathFault } from "../../core/manifest/path.ts";

export interface HostileName {
  /** What is the matter with it. */
  readonly what: string;
  readonly path: string;
  /** The rule that refuses it; undefined for a name that has to arrive. */
  readonly fault?: PathFault;
}

const arrive = (what: string, ...paths: readonly string[]): HostileName[] => paths.map((path) => ({ what, path }));
const refuse = (fault: PathFault, what: string, ...paths: readonly string[]): HostileName[] =>
  paths.map((path) => ({ what, path, fault }));
const times = (count: number, text: string): string => Array.from({ length: count }, () => text).join("/");
const each = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => String.fromCharCode(from + at));

/** The letters that turn reading round, those that are not seen, and those that are no letters at all. */
const BIDI = ["\u200e", "\u200f", "\u061c", ...each(0x202a, 0x202e), ...each(0x2066, 0x2069)];
const INVISIBLE = [
  ..."\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u180e\u180f\u200b\u200c\u200d\u2060\u2061\u2064\u2065\u206a\u206f",
  ..."\u2800\u3164\ufe00\ufe0e\ufe0f\ufeff\uffa0\ufff0\ufff9\u{1d173}\u{e0001}\u{e0061}\u{e007f}\u{e0100}\u{e01ef}",
];
const SPACES = [..."\u00a0\u1680\u2000\u2003\u2009\u200a\u202f\u205f"];
const DEVICES = "CON,prn,Aux,NUL,COM1,com9.txt,LPT1.tar.gz,COM\u00b9,CONIN$,CLOCK$,nul .txt".split(",");

const MARKUP = [
  "<img src=x onerror=globalThis.ran=1>.txt",
  "<svg onload=globalThis.ran=1>.svg",
  "<script>globalThis.ran=1<",
  "<iframe srcdoc='<script>parent.ran=1<'>",
  '"><b onmouseover=globalThis.ran=1>.pdf',
  "' autofocus onfocus=globalThis.ran=1 x='.txt",
  "&lt;b&gt;&#x3c;.html",
  "{globalThis.ran=1}{@html name}.txt",
  "{{constructor.constructor('globalThis.ran=1')()}}",
  "$" + "{globalThis.ran=1}.txt",
  "<!--.txt",
  "]]>.xml",
  "<base href=javascript:ran=1>.txt",
  "<style>*{display:none}<",
  "javascript:globalThis.ran=1",
  "data:text,html",
];

const SHELL = [
  "'; touch ran; '.txt",
  "`touch ran`",
  "$(touch ran).txt",
  "a && b | c > d < e",
  "-rf",
  "--help",
  "~",
  "~root",
  "*",
  "?",
  "[a-z]*",
  "!!",
  "a;b",
  "%PATH%",
  "%s%n%x",
  "=cmd|' C'!A0.csv",
  "@SUM(1).csv",
  "#fragment",
  "?query=1",
  "a=b&c=d",
];

const ENDINGS = [
  "invoice.pdf.exe",
  `invoice.pdf${" ".repeat(120)}.exe`,
  `${"long".repeat(50)}.pdf.scr`,
  "photo.jpg                    .com",
  "report.pdf\u3000\u3000\u3000.bat",
  "report\u2024pdf.exe",
  "archive.tar.gz.js",
  "x.lnk",
  "x.url",
  "x.scf",
  "x.desktop",
  "x.{00021401-0000-0000-c000-000000000046}",
  "desktop.ini",
  ".bashrc",
  ".htaccess",
  "autorun.inf",
  "index.html",
  "\u05d0\u05d1\u05d2.fdp.exe",
  "\u0627\u0628 123 gpj.exe",
];

const SEPARATORS = "\u2024,\u2025,\uff0e\uff0e,\u2215etc,\u2044etc,\uff0fetc,\u29f8,\uff3c,\u29f5,\u3002".split(",");
const ENCODED = "%2e%2e,%2f,%5c,%00,%252e,..%c0%af,..;,...,....,. .,a..,..a,.,&#46;".split(",");

const TWINS =
  "caf\u00e9,cafe\u0301,CAFE\u0301,Readme,README,readme,\u212aelvin,Kelvin,stra\u00dfe,strasse,STRASSE,\u0130,i\u0307,\ufb01le,file,\u03c3\u03c2,\u03c3\u03c3".split(
    ",",
  );

/** Names that only become equal when something takes a sign out of them, folds them or puts a number behind them. */
const COLLIDING = [
  "a.txt",
  "a (2).txt",
  "a (2) (2).txt",
  "A.txt",
  "a:b",
  "a%3Ab",
  "a%253Ab",
  "a\\b",
  "a%5Cb",
  "b\\c\\d",
  "C:",
  "c:autoexec.bat",
];

const OBJECTS =
  "__proto__,constructor,prototype,toString,hasOwnProperty,then,length,0,-1,NaN,null,undefined,true".split(",");

const OURS = [
  ".warp-partial",
  ".warp-partial/x",
  ".warp-partial (2)",
  ".warp-partial-0000000000000000",
  ".WARP-PARTIAL/y",
  "probe",
  "download/keep-alive",
];

const LETTERS = [
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}.png",
  "\u2764\ufe0f.txt",
  "\u{1f1e9}\u{1f1ea}",
  "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}.png",
  "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt",
  "\u0915\u094d\u200d\u0937.txt",
  "\u845b\u{e0100}.txt",
  `Z${"\u0327\u030d".repeat(40)}algo.txt`,
  "\ufffd.txt",
  "\uffff.txt",
  "\ue000.txt",
  "\u{10ffff}",
  "\ud7ff\u{10000}",
];

const CONTROL_LETTERS = [...each(0x00, 0x1f), ...each(0x7f, 0x9f), "\u2028", "\u2029"];

/** Every one of them. Distinct as strings; some are equal for some file system. */
export const HOSTILE_NAMES: readonly HostileName[] = [
  ...arrive("markup", ...MARKUP),
  ...arrive("words of a shell", ...SHELL),
  ...arrive("an ending that is not what it seems", ...ENDINGS),
  ...BIDI.flatMap((letter) => arrive("turns reading round", `exe${letter}fdp.exe`)),
  ...INVISIBLE.flatMap((letter) => arrive("cannot be seen", `a${letter}b.exe`)),
  ...SPACES.flatMap((letter) => arrive("a space that is none", `a${letter}b.exe`)),
  ...arrive(
    "hidden words",
    `plain${[..."run me"].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join("")}.txt`,
  ),
  ...arrive("only what cannot be seen", "\u200b", "\u3164", "\ufeff", "\u2800", "\u{e0100}"),
  ...arrive("a device of Windows", ...DEVICES, ...DEVICES.slice(0, 4).map((name) => `folder/${name}/${name}`)),
  ...arrive("an end that is dropped", "a.", "a ", "a. ", "a...", "a .", " a", "folder./x", "folder /x", "folder/x."),
  ...arrive("what stands for another letter", ...SEPARATORS),
  ...arrive("written otherwise", ...ENCODED.filter((name) => name !== ".")),
  ...arrive("a twin", ...TWINS),
  ...arrive("equal after renaming", ...COLLIDING),
  ...arrive("a word of the language", ...OBJECTS),
  ...arrive("a name of our own", ...OURS.filter((name) => name !== ".warp-partial")),
  ...arrive("letters that belong together", ...LETTERS),
  ...arrive("as long as allowed", "x".repeat(255), `${"\u00e9".repeat(125)}.exe`, `${"\u{1f600}".repeat(62)}.exe`),
  ...arrive("as deep as allowed", `${times(63, "d")}/x.exe`, `${times(10, "deep".repeat(50))}/x.exe`),
  ...refuse(
    "name-long",
    "too long",
    "x".repeat(256),
    `${"\u00e9".repeat(126)}.exe`,
    `${"\u{1f600}".repeat(63)}.exe`,
    `d/${"y".repeat(256)}/x`,
  ),
  ...refuse("deep", "too deep", times(65, "d"), `${times(64, "d")}/x.exe`),
  ...refuse("path-long", "too long as a whole", times(20, "x".repeat(255)), "x".repeat(5_000)),
  ...refuse("empty", "nothing", ""),
  ...refuse("absolute", "absolute", "/", "//", "/etc/passwd", "//server/share", "/..", "/\u0000"),
  ...refuse(
    "component-dots",
    "leads out",
    ".",
    "..",
    "../x",
    "../../.ssh/authorized_keys",
    "a/..",
    "a/../../x",
    "a/./b",
    "./a",
  ),
  ...refuse("component-dots", "leads out on Windows", "..\\x", "a\\..\\..\\x", ".\\x", "a\\.", "C:\\..\\x"),
  ...refuse(
    "component-empty",
    "an empty component",
    "a//b",
    "a/",
    "\\",
    "\\x",
    "x\\",
    "a/\\b",
    "\\\\server\\share",
    "C:\\",
    "\\\\?\\C:\\x",
    "a\\\\b",
  ),
  ...CONTROL_LETTERS.flatMap((letter) => refuse("control", "a control letter", `a${letter}b.exe`)),
  ...refuse(
    "control",
    "words for a terminal",
    "\u001b[2J\u001b[1;1H",
    "\u001b]0;title\u0007",
    "\u001b]8;;http://evil.example\u001b\\x",
    "\u009b31mred",
    "a\rb.txt",
    "a\r\nSet-Cookie: x=1",
    "good.txt\u0000.exe",
    "\u0008\u0008\u0008x",
  ),
  ...refuse("surrogate", "half a letter", "\ud800", "a\udfffb", "\udc00\ud800.txt", "d\ud83d/x", "\ud83d.exe"),
];

/** Letters that mean something to somebody, from which any path may be put together. */
const ALPHABET = [
  ..."aB1.-_ :;\\/|*?\"'<>&%$`~#={}()[]@!",
  ..."..",
  "/../",
  "CON",
  ".exe",
  ".pdf",
  "<b>",
  "%2e",
  "\u0000",
  "\u001b[1m",
  "\n",
  "\u0085",
  "\u2028",
  "\ud800",
  "\udfff",
  "\u0301",
  "\u00e9",
  "\u05d0",
  "\u0627",
  "\u4e2d",
  "\u{1f600}",
  "\u{1f468}\u200d\u{1f469}",
  "\u2024",
  "\u2215",
  ...BIDI,
  ...INVISIBLE,
  ...SPACES,
];

/** A path that nobody thought of: hostile letters in any order, any text, or two of the corpus joined. */
export const anyHostilePath: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.constantFrom(...ALPHABET), { maxLength: 14 }).map((parts) => parts.join("")) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 24 }) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 90 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...HOSTILE_NAMES),
        fc.constantFrom("", "/", "\\", " ", "."),
        fc.constantFrom(...HOSTILE_NAMES),
      )
      .map(([a, joint, b]) => a.path + joint + b.path),
  },
);
