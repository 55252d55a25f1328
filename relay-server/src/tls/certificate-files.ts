/**
 * The relay's own certificates as files in the data directory, since the HTTP/3 addon reads certificates from files. A
 * certificate that is good for a while is used again after a restart.
 *
 * @module
 */
import { createHash, X509Certificate } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeCertificate } from "./certificate.ts";

export interface CertificateFiles {
  readonly certificatePath: string;
  readonly keyPath: string;
  /** SHA-256 of the DER form, base64. */
  readonly sha256: string;
  readonly startsAtMs: number;
  readonly expiresAtMs: number;
}

/** Reads the first certificate of a PEM file. @throws Error when it is none */
export async function readCertificate(certificatePath: string, keyPath: string): Promise<CertificateFiles> {
  const certificate = new X509Certificate(await readFile(certificatePath));
  const sha256 = createHash("sha256").update(certificate.raw).digest("base64");
  const [startsAtMs, expiresAtMs] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  return { certificatePath, keyPath, sha256, startsAtMs, expiresAtMs };
}

/** The certificate that lives longest, if it is valid from `fromMs` until `untilMs`; the others are removed. */
export async function findCertificate(
  folder: string,
  fromMs: number,
  untilMs: number,
): Promise<CertificateFiles | undefined> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const found: CertificateFiles[] = [];
  for (const name of names.filter((name) => name.endsWith(".pem"))) {
    const path = join(folder, name);
    const certificate = await readCertificate(path, keyPathOf(path)).catch(() => undefined);
    const hasKey = names.includes(name.replace(/\.pem$/, ".key"));
    const isValid = certificate !== undefined && certificate.startsAtMs <= fromMs && certificate.expiresAtMs >= untilMs;
    if (!isValid || !hasKey) await removeCertificate(path);
    else found.push(certificate);
  }
  found.sort((a, b) => b.expiresAtMs - a.expiresAtMs);
  for (const { certificatePath } of found.slice(1)) await removeCertificate(certificatePath);
  return found[0];
}

/** Makes a fresh certificate; the key is readable by the owner only. */
export async function createCertificate(folder: string, nowMs: number, validityMs: number): Promise<CertificateFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { certificatePem, keyPem, sha256 } = makeCertificate(nowMs, validityMs);
  const certificatePath = join(folder, `${Buffer.from(sha256, "base64").toString("hex").slice(0, 16)}.pem`);
  const keyPath = keyPathOf(certificatePath);
  await writeFile(keyPath, keyPem, { mode: 0o600 });
  await writeFile(certificatePath, certificatePem);
  return readCertificate(certificatePath, keyPath);
}

export async function removeCertificate(certificatePath: string): Promise<void> {
  await rm(certificatePath, { force: true });
  await rm(keyPathOf(certificatePath), { force: true });
}

function keyPathOf(certificatePath: string): string {
  return certificatePath.replace(/\.pem$/, ".key");
}
