/**
 * Whether transfers may also go directly between devices of one network, kept in this browser. They may until somebody says no.
 *
 * @module
 */
import type { Overrides } from "../../../workers/transfer/api.ts";

const KEY = "peers";
const OFF = "off";

/** The kept setting. */
export function rememberedPeers(): boolean {
  try {
    return localStorage.getItem(KEY) !== OFF;
  } catch {
    // storage is forbidden
    return true;
  }
}

/** Keeps the setting for every page that is opened from now on. */
export function rememberPeers(isOn: boolean): void {
  try {
    if (isOn) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, OFF);
  } catch {
    // it holds for this page only
  }
}

/** The address's overrides; where they do not say it, the setting does. An address that asks for one path asks for no other. */
export function withPeers(overrides: Overrides, isOn: boolean): Overrides {
  const isWanted = isOn && overrides.path === undefined;
  return overrides.peers !== undefined || isWanted ? overrides : { ...overrides, peers: false };
}
