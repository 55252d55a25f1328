/**
 * Who may import whom: the table of ARCHITECTURE.md as data. The compiler and the linter enforce the coarse lines, the
 * tidy test exactly this.
 *
 * @module
 */

/** A top-level folder with its own place in the table. */
export type Room =
  | "core"
  | "shaders"
  | "kernels"
  | "platform"
  | "workers"
  | "web"
  | "relay-server"
  | "cli"
  | "scripts"
  | "bench"
  | "tests";

interface Entrance {
  readonly room: Room;
  /** Only files of the room whose path (from the root) matches; all when absent. */
  readonly files?: RegExp;
  /** Any file of the room, as long as only types are imported. */
  readonly typesAnywhere?: boolean;
}

interface Row {
  readonly may: readonly Entrance[];
  /** npm packages: a closed list, or any. */
  readonly packages: readonly string[] | "any";
  /** Whether `node:` modules exist where this room runs. */
  readonly node: boolean;
  readonly why: string;
}

const CORE: Entrance = { room: "core" };
const KERNELS: Entrance = { room: "kernels" };

/** Rooms not listed in a row's `may` are closed to it; a room may always import itself. */
export const IMPORT_TABLE: Readonly<Record<Room, Row>> = {
  core: {
    may: [],
    packages: ["@hpke/core", "@msgpack/msgpack", "@noble/hashes", "@scure/base", "@scure/bip39"],
    node: false,
    why: "core is pure and shared by browser, relay and command line: it imports only core",
  },
  shaders: {
    may: [CORE],
    packages: [],
    node: false,
    why: "shaders hold no device, so that they are tested without a browser: they import only core",
  },
  kernels: {
    may: [CORE],
    packages: [],
    node: false,
    why: "the kernels' loader runs in any thread of any host: it imports only core",
  },
  platform: {
    may: [CORE, { room: "shaders" }, KERNELS],
    packages: "any",
    node: false,
    why: "platform puts the browser behind core's ports: it imports core, shaders and kernels",
  },
  workers: {
    may: [CORE, { room: "platform" }, KERNELS],
    packages: "any",
    node: false,
    why: "workers run core on a platform: they import core, platform and kernels",
  },
  web: {
    may: [
      // Of the manifest only the rules for names: the person who drops a file sees at once how it will be called. Of the
      // transfer only the rules for engines: the dashboard says what the figures that this browser kept come to.
      {
        room: "core",
        files:
          /^core\/(units\.ts|failure\.ts|format\/|manifest\/(path|unique-paths|display-path)\.ts|transfer\/engine-(figures|split)\.ts)/,
        typesAnywhere: true,
      },
      // Page and workers share one Trusted Types policy for the scripts they start.
      { room: "workers", files: /\/(api|client)\.ts$|^workers\/script-url\.ts$/ },
    ],
    packages: "any",
    node: false,
    why: "the page never touches file bytes: it imports types, units, failures, name and engine rules of core, and api.ts or client.ts of workers",
  },
  "relay-server": {
    may: [{ room: "core", files: /^core\/((wire|portal|hash|ports)\/|units\.ts|failure\.ts)/ }],
    packages: "any",
    node: true,
    why: "the relay is blind: it imports wire, portal, hash, units, failure and ports of core",
  },
  cli: {
    may: [CORE, KERNELS],
    packages: "any",
    node: true,
    why: "the command line has node adapters of its own: it imports core and kernels",
  },
  scripts: {
    may: [
      { room: "relay-server", files: /\/main\.ts$/ },
      { room: "cli", files: /\/main\.ts$/ },
      { room: "bench", files: /\/main\.ts$/ },
    ],
    packages: "any",
    node: true,
    why: "scripts build and start the product; they import only what they start",
  },
  bench: {
    may: [
      CORE,
      { room: "shaders" },
      KERNELS,
      { room: "platform" },
      { room: "workers" },
      { room: "web" },
      { room: "relay-server" },
      { room: "cli" },
      { room: "scripts" },
      { room: "tests", files: /^tests\/(?:support|faults\/lab)\// },
    ],
    packages: "any",
    node: true,
    why: "benchmarks measure every room and share the tests' support and their laboratory of faults",
  },
  tests: {
    may: [
      CORE,
      { room: "shaders" },
      KERNELS,
      { room: "platform" },
      { room: "workers" },
      { room: "web" },
      { room: "relay-server" },
      { room: "cli" },
      { room: "scripts" },
      { room: "bench" },
    ],
    packages: "any",
    node: true,
    why: "tests may import anything",
  },
};
