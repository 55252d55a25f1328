import { afterEach, describe, expect, it, vi } from "vitest";
import { type DeviceState, UNKNOWN_DEVICE } from "../../../core/edge/constraints.ts";
import { deviceOf, watchDevice } from "./device.ts";

afterEach(() => vi.unstubAllGlobals());

describe("what a browser tells of its device", () => {
  it("is unknown where it tells nothing", () => {
    expect(deviceOf(undefined, undefined)).toEqual(UNKNOWN_DEVICE);
    expect(deviceOf({}, undefined)).toEqual(UNKNOWN_DEVICE);
  });

  it.each([
    ["cellular", true],
    ["wifi", false],
    ["ethernet", false],
    ["bluetooth", "unknown"],
    ["constructor", "unknown"],
  ] as const)("calls a connection of the type %s metered: %s", (type, metered) => {
    expect(deviceOf({ type, saveData: false }, undefined)).toEqual({ ...UNKNOWN_DEVICE, metered, saveData: false });
  });

  it("says what the user saves and how the battery is", () => {
    const battery = { level: 0.3, charging: false };
    expect(deviceOf({ saveData: true }, battery)).toEqual({ battery, metered: "unknown", saveData: true });
  });

  it("is told at once and with each change, until nobody listens", async () => {
    const connection = Object.assign(new EventTarget(), { type: "wifi", saveData: false });
    const battery = Object.assign(new EventTarget(), { level: 1, charging: true });
    vi.stubGlobal("navigator", { connection, getBattery: async () => battery });
    const told: DeviceState[] = [];
    const stop = watchDevice((device) => told.push(device));
    expect(told).toEqual([{ battery: "unknown", metered: false, saveData: false }]);
    await vi.waitFor(() => expect(told).toHaveLength(2));
    Object.assign(battery, { level: 0.5, charging: false });
    battery.dispatchEvent(new Event("chargingchange"));
    Object.assign(connection, { type: "cellular" });
    connection.dispatchEvent(new Event("change"));
    expect(told.at(-1)).toEqual({ battery: { level: 0.5, charging: false }, metered: true, saveData: false });
    stop();
    battery.dispatchEvent(new Event("levelchange"));
    expect(told).toHaveLength(4);
  });

  it("does without a battery that may not be asked for", async () => {
    vi.stubGlobal("navigator", { getBattery: () => Promise.reject(new DOMException("no", "NotAllowedError")) });
    const told: DeviceState[] = [];
    watchDevice((device) => told.push(device));
    await Promise.resolve();
    expect(told).toEqual([UNKNOWN_DEVICE]);
  });
});
