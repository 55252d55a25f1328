import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { expect, it } from "vitest";
import { CERTIFICATE_VALIDITY_MS, makeCertificate } from "./certificate.ts";

const DAY_MS = 86_400_000;

it("[RELAY-24] makes a certificate that browsers pin: P-256, at most 14 days, for localhost", () => {
  const now = Date.now();
  const { certificatePem, sha256, expiresAtMs } = makeCertificate(now);
  const certificate = new X509Certificate(certificatePem);
  expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.ca).toBe(false);
  expect(certificate.validFromDate.getTime()).toBeLessThan(now);
  expect(certificate.validToDate.getTime()).toBe(expiresAtMs);
  expect(expiresAtMs - certificate.validFromDate.getTime()).toBeLessThanOrEqual(14 * DAY_MS);
  expect(expiresAtMs - now).toBeGreaterThan(CERTIFICATE_VALIDITY_MS - 1001);
  expect(certificate.checkHost("localhost")).toBe("localhost");
  expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(createHash("sha256").update(certificate.raw).digest("base64")).toBe(sha256);
});

it("makes another key and number each time", () => {
  const [a, b] = [makeCertificate(Date.now()), makeCertificate(Date.now())].map(
    ({ certificatePem }) => new X509Certificate(certificatePem),
  );
  expect(a?.serialNumber).not.toBe(b?.serialNumber);
  expect(a?.serialNumber).toMatch(/^[0-7]/);
  expect(a?.fingerprint256).not.toBe(b?.fingerprint256);
});

it("is one that a TLS stack accepts from itself", async () => {
  const { certificatePem, keyPem } = makeCertificate(Date.now());
  const server = createServer({ cert: certificatePem, key: keyPem }, (socket) => socket.end("hello"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket: TLSSocket = connect({ host: "127.0.0.1", port, ca: certificatePem, servername: "localhost" });
  const [data] = await once(socket, "data");
  expect(String(data)).toBe("hello");
  socket.destroy();
  server.close();
});
