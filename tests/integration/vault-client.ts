/**
 * A client of vaults for tests: requests by hand. It checks nothing that a test should check.
 *
 * @module
 */
import type { CreateVault, NewDevice, VaultDevices, VaultEntries } from "../../core/portal/vault.ts";
import { base64url, bearer, random, sha256 } from "./relay-client.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Method = "GET" | "PUT" | "POST" | "DELETE";

/** A device with its token. */
export interface TestDevice {
  /** base64url */
  readonly device: string;
  readonly token: Bytes;
  /** base64url */
  readonly name: string;
}

/** A vault with what opens it. */
export interface TestVault {
  /** base64url */
  readonly vault: string;
  readonly rootToken: Bytes;
  readonly device: TestDevice;
}

export function inventDevice(): TestDevice {
  return { device: base64url(random(16)), token: random(32), name: base64url(random(60)) };
}

export function inventVault(): TestVault {
  return { vault: base64url(random(16)), rootToken: random(32), device: inventDevice() };
}

const toBody = ({ device, token, name }: TestDevice): NewDevice => ({
  device,
  tokenHash: base64url(sha256(token)),
  name,
});

export class VaultClient {
  readonly url: string;
  readonly vault: TestVault;

  constructor(url: string, vault: TestVault) {
    this.url = url;
    this.vault = vault;
  }

  /** @param path below the vault's own, with its slash */
  request(method: Method, path: string, token?: Uint8Array, body?: object): Promise<Response> {
    return fetch(`${this.url}/api/v1/vaults/${this.vault.vault}${path}`, {
      method,
      headers: { ...(token && bearer(token)), ...(body && { "Content-Type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  /** Every route that needs a token, with what could be sent to it. */
  routes(): [Method, string, object?][] {
    const name = base64url(random(16));
    return [
      ["DELETE", ""],
      ["GET", "/devices"],
      ["POST", "/devices", toBody(inventDevice())],
      ["DELETE", `/devices/${name}`],
      ["GET", "/entries"],
      ["PUT", `/entries/${name}`, { sealed: base64url(random(40)) }],
      ["DELETE", `/entries/${name}`],
    ];
  }

  create(headers: Record<string, string> = {}): Promise<Response> {
    const { vault, rootToken, device } = this.vault;
    const body: CreateVault = { rootTokenHash: base64url(sha256(rootToken)), device: toBody(device) };
    return fetch(`${this.url}/api/v1/vaults/${vault}`, {
      method: "PUT",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  }

  enrol(device: TestDevice, token = this.vault.rootToken): Promise<Response> {
    return this.request("POST", "/devices", token, toBody(device));
  }

  async devices(): Promise<VaultDevices> {
    const answer = await this.request("GET", "/devices", this.vault.device.token);
    return (await answer.json()) as VaultDevices;
  }

  revoke(device: string): Promise<Response> {
    return this.request("DELETE", `/devices/${device}`, this.vault.device.token);
  }

  entries(): Promise<Response> {
    return this.request("GET", "/entries", this.vault.device.token);
  }

  async changes(after: number): Promise<VaultEntries> {
    const answer = await this.request("GET", `/entries?after=${after}`, this.vault.device.token);
    return (await answer.json()) as VaultEntries;
  }

  put(entry: string, sealed: Uint8Array): Promise<Response> {
    return this.request("PUT", `/entries/${entry}`, this.vault.device.token, { sealed: base64url(sealed) });
  }

  remove(entry: string): Promise<Response> {
    return this.request("DELETE", `/entries/${entry}`, this.vault.device.token);
  }
}
