import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, launchRelay } from "./launch.ts";

/** The least that behaves as the relay does towards its launcher. */
const SERVER = `
import { createServer } from "node:http";
const status = process.env.PLANT === "unready" ? 503 : 200;
const server = createServer((request, response) => response.writeHead(status).end(process.env.DATA_DIR));
server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("on http://localhost:" + process.env.PORT));
process.on("SIGTERM", () => process.exit(7));
`;

describe("launching a relay", () => {
  let folder = "";
  let main = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "warp-launch-"));
    main = join(folder, "server.mjs");
    await writeFile(main, SERVER);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("gives a relay that answers, with a store of its own that goes with it", async () => {
    const relay = await launchRelay({ main });
    expect(await (await fetch(relay.url)).text()).toBe(relay.dataDir);
    expect(existsSync(relay.dataDir)).toBe(true);
    expect(relay.output()).toContain(relay.url);
    await relay[Symbol.asyncDispose]();
    expect(existsSync(relay.dataDir)).toBe(false);
    await expect(fetch(relay.url)).rejects.toThrow("fetch failed");
  });

  it("comes back on the same port and store after a crash, and ends when asked", async () => {
    await using first = await launchRelay({ main });
    await first.kill();
    await using second = await launchRelay({ main, port: first.port, dataDir: first.dataDir });
    expect(second.pid).not.toBe(first.pid);
    expect(await (await fetch(first.url)).text()).toBe(first.dataDir);
    expect(await second.stop()).toBe(7);
  });

  it("fails with what a relay printed that ends at once, or is not ready", async () => {
    const broken = join(folder, "broken.mjs");
    await writeFile(broken, 'console.error("no disk"); process.exit(3);');
    await expect(launchRelay({ main: broken })).rejects.toThrow(/ended at once; it printed:\nno disk/);
    await expect(launchRelay({ main, env: { PLANT: "unready" } })).rejects.toThrow("is not ready (503)");
  });

  it("finds ports that an unprivileged relay may use", async () => {
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    expect(ports.every((port) => port > 1024)).toBe(true);
  });
});
