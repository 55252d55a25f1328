import { afterEach, describe, expect, it, vi } from "vitest";
import { rememberedPeers, rememberPeers, withPeers } from "./peers-setting.ts";

function useStorage(kept: Record<string, string> = {}): Record<string, string> {
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept[key] ?? null,
    setItem: (key: string, value: string) => {
      kept[key] = value;
    },
    removeItem: (key: string) => {
      delete kept[key];
    },
  });
  return kept;
}

afterEach(() => vi.unstubAllGlobals());

describe("the setting of direct transfers", () => {
  it("is on until somebody says no, and is kept", () => {
    const kept = useStorage();
    expect(rememberedPeers()).toBe(true);
    rememberPeers(false);
    expect([rememberedPeers(), kept]).toEqual([false, { peers: "off" }]);
    rememberPeers(true);
    expect([rememberedPeers(), kept]).toEqual([true, {}]);
  });

  it("does without a storage that is forbidden", () => {
    const refuse = () => {
      throw new DOMException("no", "SecurityError");
    };
    vi.stubGlobal("localStorage", { getItem: refuse, setItem: refuse, removeItem: refuse });
    expect(rememberedPeers()).toBe(true);
    rememberPeers(false);
    rememberPeers(true);
  });

  it("gives way to the address, and leaves everything else as it is", () => {
    expect(withPeers({ peers: true }, false)).toEqual({ peers: true });
    expect(withPeers({ peers: false }, true)).toEqual({ peers: false });
    expect(withPeers({ engine: "cpu" }, false)).toEqual({ engine: "cpu", peers: false });
    expect(withPeers({ engine: "cpu" }, true)).toEqual({ engine: "cpu" });
    expect(withPeers({ path: "tcp" }, true)).toEqual({ path: "tcp", peers: false });
    expect(withPeers({ path: "tcp", peers: true }, true)).toEqual({ path: "tcp", peers: true });
  });
});
