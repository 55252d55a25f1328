import { createHash, X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { makeCertificate } from "../../relay-server/src/tls/certificate.ts";
import { bearer, createPortal, getObject, postPortal, putObject, sealed, TestLink } from "./relay-client.ts";
import { testRelay } from "./relay-fixture.ts";

const stateOf = (url: string, portal: { text: string; readToken: Uint8Array }) =>
  fetch(`${url}/api/v1/portals/${portal.text}`, { headers: bearer(portal.readToken) });

describe("expiry", () => {
  it("[RELAY-14] is enforced at the next access, removes the bytes, and ends links", async () => {
    vi.useFakeTimers({ toFake: ["Date", "performance"] });
    try {
      await using relay = await testRelay();
      const portal = await createPortal(relay.url, { expirySeconds: 60 });
      await putObject(relay.url, portal, sealed("pack", 0, 4 * 2 ** 20));
      const link = await TestLink.open(relay.url, portal, "receive");
      vi.advanceTimersByTime(59_000);
      expect((await stateOf(relay.url, portal)).status).toBe(200);
      vi.advanceTimersByTime(2000);
      expect((await stateOf(relay.url, portal)).status).toBe(404);
      expect(await link.next("bye")).toEqual({ t: "bye", code: 7 });
      expect((await postPortal(relay.url, portal.body)).status).toBe(410);
      const metrics = await (await fetch(`${relay.url}/metrics`)).text();
      expect(metrics).toContain("warp_store_bytes 0\n");
    } finally {
      vi.useRealTimers();
    }
  });

  it("[RELAY-14] happens while nobody looks, also over a restart", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-expiry-"));
    vi.useFakeTimers({ toFake: ["Date", "performance"] });
    try {
      {
        await using relay = await testRelay({ dataDir });
        const portal = await createPortal(relay.url, { expirySeconds: 60 });
        await putObject(relay.url, portal, sealed("pack", 0, 4 * 2 ** 20));
      }
      vi.advanceTimersByTime(61_000);
      await using relay = await testRelay({ dataDir });
      expect(await (await fetch(`${relay.url}/metrics`)).text()).toContain("warp_store_bytes 0\n");
      const files = await readdir(join(dataDir, "blobs"), { recursive: true, withFileTypes: true });
      expect(files.filter((entry) => entry.isFile())).toEqual([]);
    } finally {
      vi.useRealTimers();
      await rm(dataDir, { recursive: true });
    }
  });
});

describe("certificates", () => {
  it("[RELAY-24] are published, renewed while the relay runs, and kept over a restart", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "warp-tls-"));
    const infoOf = async (url: string) => (await (await fetch(`${url}/api/v1/relay`)).json()).webtransport;
    try {
      let kept: string;
      {
        const renewal = { validityMs: 4000, renewBeforeMs: 2000 };
        await using relay = await testRelay({ dataDir }, { door: { renewal } });
        const first = await infoOf(relay.url);
        expect(new URL(first.url).port).toBe(String(relay.relay.port));
        expect(first.certificateHashes).toHaveLength(1);
        const second = await vi.waitUntil(
          async () => {
            const info = await infoOf(relay.url);
            return info.certificateHashes[0] === first.certificateHashes[0] ? undefined : info;
          },
          { timeout: 15_000, interval: 50 },
        );
        expect(second.url).not.toBe(first.url);
        expect(second.certificateExpiresAtMs).toBeGreaterThan(first.certificateExpiresAtMs);
        // Nobody used the first listener: its certificate is removed with it.
        await vi.waitUntil(async () => (await readdir(join(dataDir, "tls"))).length <= 4, { timeout: 15_000 });
      }
      {
        await using relay = await testRelay({ dataDir }, { door: {} });
        kept = (await infoOf(relay.url)).certificateHashes[0];
        const names = (await readdir(join(dataDir, "tls"))).filter((name) => name.endsWith(".pem"));
        expect(names).toHaveLength(1);
        const { raw } = new X509Certificate(await readFile(join(dataDir, "tls", names[0] ?? "")));
        expect(createHash("sha256").update(raw).digest("base64")).toBe(kept);
      }
      await using relay = await testRelay({ dataDir }, { door: {} });
      expect((await infoOf(relay.url)).certificateHashes).toEqual([kept]);
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });

  it("[RELAY-24] of the operator serve HTTPS and are not pinned", async () => {
    const folder = await mkdtemp(join(tmpdir(), "warp-own-"));
    try {
      const { certificatePem, keyPem } = makeCertificate(Date.now());
      const tls = { certificatePath: join(folder, "c.pem"), keyPath: join(folder, "k.pem") };
      await writeFile(tls.certificatePath, certificatePem);
      await writeFile(tls.keyPath, keyPem);
      await using relay = await testRelay({ tls }, { door: {} });
      expect(relay.url).toMatch(/^https:/);
      const info = await new Promise<string>((resolve) => {
        request(`${relay.url}/api/v1/relay`, { ca: certificatePem }, (answer) => {
          expect(answer.headers["strict-transport-security"]).toMatch(/^max-age=/);
          answer.setEncoding("utf8").on("data", resolve);
        }).end();
      });
      expect(JSON.parse(info).webtransport.certificateHashes).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("the web app", () => {
  it("[RELAY-29] is served with its policy, by a closed list of files", async () => {
    const webFolder = await mkdtemp(join(tmpdir(), "warp-web-"));
    await mkdir(join(webFolder, "assets"));
    await writeFile(join(webFolder, "index.html"), "<title>app</title>");
    await writeFile(join(webFolder, "assets", "main-abc.js"), "1");
    await writeFile(join(webFolder, "service-worker.js"), "2");
    try {
      await using relay = await testRelay({}, { webFolder });
      const port = relay.relay.port;
      for (const path of ["/", "/p/AAAA", "/transfers", "/dashboard"]) {
        const answer = await fetch(relay.url + path);
        expect(await answer.text()).toBe("<title>app</title>");
        expect(answer.headers.get("cache-control")).toBe("no-cache");
        expect(answer.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
        expect(answer.headers.get("cross-origin-opener-policy")).toBe("same-origin");
        const policy = answer.headers.get("content-security-policy") ?? "";
        expect(policy).toContain(`connect-src 'self' ws://localhost:${port} https://127.0.0.1:*;`);
        expect(policy).toContain("require-trusted-types-for 'script'");
        expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
      }
      const asset = await fetch(`${relay.url}/assets/main-abc.js`);
      expect(asset.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      expect(asset.headers.get("content-type")).toMatch(/^text\/javascript/);
      expect(asset.headers.get("content-security-policy")).toContain("worker-src 'self'");
      const worker = await fetch(`${relay.url}/service-worker.js`);
      expect(worker.headers.get("cache-control")).toBe("no-cache");
      const etag = worker.headers.get("etag") ?? "";
      expect((await fetch(`${relay.url}/service-worker.js`, { headers: { "if-none-match": etag } })).status).toBe(304);
      for (const path of ["/../package.json", "/%2e%2e/package.json", "/assets/", "/assets/..%2findex.html", "/p/a/b"])
        expect(await rawStatus(port, path)).toBe(404);
    } finally {
      await rm(webFolder, { recursive: true });
    }
  });

  /** A path as it is, without a client that cleans it up. */
  function rawStatus(port: number, path: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: "127.0.0.1", port });
      socket.on("error", reject);
      socket.once("data", (data) => {
        resolve(Number(data.toString().split(" ")[1]));
        socket.destroy();
      });
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    });
  }

  it("says that it is not built, where it is not", async () => {
    await using relay = await testRelay({}, { webFolder: join(tmpdir(), "warp-no-such-folder") });
    const answer = await fetch(relay.url);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("npm run build");
  });
});

describe("the log", () => {
  it("[RELAY-28] holds no token, portal, query, header or name that a client sent", async () => {
    await using relay = await testRelay();
    const portal = await createPortal(relay.url);
    const canary = "CANARY-4711";
    await fetch(`${relay.url}/${canary}?${canary}=${canary}`, { headers: { "user-agent": canary, cookie: canary } });
    await fetch(`${relay.url}/p/${canary}`);
    await fetch(`${relay.url}/api/v1/portals/${canary}/packs/0`, { headers: { authorization: `Bearer ${canary}` } });
    await postPortal(relay.url, { ...portal.body, [canary]: canary });
    await putObject(relay.url, portal, sealed("pack", 0, 4 * 2 ** 20));
    await getObject(relay.url, portal, "pack", 0);
    const link = await TestLink.open(relay.url, portal, "receive");
    link.sendRaw(1, new TextEncoder().encode(canary));
    await link.closed;
    const text = relay.log.join("\n");
    expect(relay.log.length).toBeGreaterThan(6);
    const hidden = [canary, portal.text, Buffer.from(portal.id).toString("hex"), "127.0.0.1"];
    const tokens = [portal.readToken, portal.ownerToken].flatMap((token) => [
      Buffer.from(token).toString("base64url"),
      Buffer.from(token).toString("hex"),
    ]);
    for (const secret of [...hidden, ...tokens]) expect(text).not.toContain(secret);
    const fields = new Set(relay.log.flatMap((line) => Object.keys(JSON.parse(line))));
    const allowed =
      "time level event route method status bytes ms carrier code port engine reason portal address".split(" ");
    for (const field of fields) expect(allowed).toContain(field);
    expect(text).toContain('"route":"/api/v1/portals/:portal/packs/:index"');
  });
});
