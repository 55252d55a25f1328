/**
 * The command line as data: what may be given, in which form, and what is meant.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { MAX_DOWNLOADS, MIN_EXPIRY_SECONDS } from "../core/portal/portal.ts";

export const DEFAULT_RELAY = "http://localhost:8080";
export const DEFAULT_EXPIRY_SECONDS = 86_400;

export const USAGE = `Usage: npm run warp -- COMMAND

  send PATH…   sends files and folders, prints the link at once
    --relay URL        address of the relay, as receivers reach it (${DEFAULT_RELAY})
    --expiry TIME      how long the link works: 30m, 12h, 7d (1d)
    --downloads N      ends the portal after N completed downloads
    --follow           sends what symbolic links point to; without it a link is refused
    --to LINK          hands the files in to whoever made this link to ask for them; only they can read them
    --invite CODE      for a relay that is by invitation; also taken from the environment as WARP_INVITE

  get LINK     receives everything into a folder, which is made where it is missing
    --out DIR          the folder (.)
    --rename           gives a file "name (2)" where its name is taken; without it nothing is received then

  info LINK    lists what the link holds, without downloading it

  All of them:
    --password-stdin   reads the password from the first line of standard input: of the portal, with --to of that link
    --json             prints one JSON object per line
    --relay URL        for get and info: the relay, where LINK is only /p/…#…
    --help             prints this

LINK may be "-": then it is read from standard input (its first line; the password is the second), where no list of
processes shows it. Exit codes: 0 done, 1 failed (with a code and a sentence), 2 wrong use.
`;

/** Wrong use: exit code 2. The message is a sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

interface Common {
  /** Origin of the relay. */
  readonly relay: string;
  readonly passwordStdin: boolean;
  readonly json: boolean;
}

export interface SendCommand extends Common {
  readonly name: "send";
  readonly paths: readonly string[];
  /** null: a day, or less where the relay allows less. */
  readonly expirySeconds: number | null;
  readonly maxDownloads: number | null;
  readonly follow: boolean;
  /** The link of a request to hand them in to, or `-`; null for a send of one's own. */
  readonly to: string | null;
  readonly invite: string | null;
}

export interface GetCommand extends Common {
  readonly name: "get";
  /** The link, or `-`. */
  readonly link: string;
  readonly out: string;
  readonly rename: boolean;
}

export interface InfoCommand extends Common {
  readonly name: "info";
  readonly link: string;
}

export type Command = SendCommand | GetCommand | InfoCommand;

const COMMON = {
  relay: { type: "string" },
  "password-stdin": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;
const SEND = {
  expiry: { type: "string" },
  downloads: { type: "string" },
  follow: { type: "boolean", default: false },
  to: { type: "string" },
  invite: { type: "string" },
} as const;
const GET = { out: { type: "string", default: "." }, rename: { type: "boolean", default: false } } as const;

/** The link that a command is about, `-` for standard input; null for a send of one's own. */
export function linkOf(command: Command): string | null {
  return command.name === "send" ? command.to : command.link;
}

/** The command with its link read. */
export function withLink(command: Command, link: string): Command {
  return command.name === "send" ? { ...command, to: link } : { ...command, link };
}

/** @param args without program and script. Gives "help" where that is asked for. @throws UsageError */
export function parseCommand(args: readonly string[]): Command | "help" {
  const [name, ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") return "help";
  switch (name) {
    case "send": {
      const { values, positionals } = parse(rest, { ...COMMON, ...SEND });
      if (values.help) return "help";
      if (positionals.length === 0) throw new UsageError("send needs at least one PATH.");
      const expirySeconds = values.expiry === undefined ? null : parseExpiry(values.expiry);
      const maxDownloads = values.downloads === undefined ? null : parseDownloads(values.downloads);
      const { follow, to = null, invite = null } = values;
      return { name, paths: positionals, expirySeconds, maxDownloads, follow, to, invite, ...common(values) };
    }
    case "get": {
      const { values, positionals } = parse(rest, { ...COMMON, ...GET });
      if (values.help) return "help";
      return { name, link: oneLink(positionals), out: values.out, rename: values.rename, ...common(values) };
    }
    case "info": {
      const { values, positionals } = parse(rest, COMMON);
      if (values.help) return "help";
      return { name, link: oneLink(positionals), ...common(values) };
    }
    case undefined:
      throw new UsageError("A command is needed: send, get or info.");
    default:
      throw new UsageError("There is no such command; there are send, get and info.");
  }
}

function parse<const T extends NonNullable<Parameters<typeof parseArgs>[0]>["options"]>(
  args: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "The options cannot be read.", { cause: error });
  }
}

function common(values: { relay?: string | undefined; "password-stdin": boolean; json: boolean }): Common {
  const relay = originOf(values.relay ?? DEFAULT_RELAY);
  return { relay, passwordStdin: values["password-stdin"], json: values.json };
}

/** @throws UsageError for anything but an http or https address */
function originOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new UsageError(`--relay needs an address such as ${DEFAULT_RELAY}.`);
  return url.origin;
}

function oneLink(positionals: readonly string[]): string {
  const [link, ...more] = positionals;
  if (link === undefined || more.length > 0) throw new UsageError("Exactly one LINK is needed.");
  return link;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

function parseExpiry(text: string): number {
  const match = /^([0-9]{1,6})([smhdw])$/.exec(text);
  const seconds = Number(match?.[1]) * (SECONDS[match?.[2] ?? ""] ?? Number.NaN);
  if (!(seconds >= MIN_EXPIRY_SECONDS))
    throw new UsageError("--expiry needs a number with s, m, h, d or w, and at least a minute: 30m, 12h, 7d.");
  return seconds;
}

function parseDownloads(text: string): number {
  const number = /^[0-9]{1,7}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MAX_DOWNLOADS)
    throw new UsageError(`--downloads needs a whole number from 1 to ${MAX_DOWNLOADS}.`);
  return number;
}
