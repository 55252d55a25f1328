/**
 * What the browser tells of this device: its battery, and whether its connection costs money or should be saved. Many tell
 * nothing, or not everything.
 *
 * @module
 */
import type { DeviceState } from "../../../core/edge/constraints.ts";

/** The Network Information API, where there is one. */
interface Connection extends EventTarget {
  readonly type?: string;
  readonly saveData?: boolean;
}

/** The Battery Status API's, where there is one. */
interface Battery extends EventTarget {
  readonly level: number;
  readonly charging: boolean;
}

type Teller = Navigator & { readonly connection?: Connection; readonly getBattery?: () => Promise<Battery> };

/** Types of connections of which it is known what they cost. */
const COSTS: ReadonlyMap<string, boolean> = new Map([
  ["cellular", true],
  ["wifi", false],
  ["ethernet", false],
]);

/** From what the two interfaces say; undefined is what is not there. */
export function deviceOf(
  connection: Pick<Connection, "type" | "saveData"> | undefined,
  battery: Pick<Battery, "level" | "charging"> | undefined,
): DeviceState {
  return {
    battery: battery === undefined ? "unknown" : { level: battery.level, charging: battery.charging },
    metered: COSTS.get(connection?.type ?? "") ?? "unknown",
    saveData: connection?.saveData ?? "unknown",
  };
}

/** Tells at once and on every change. @returns ends it */
export function watchDevice(tell: (device: DeviceState) => void): () => void {
  const { connection, getBattery } = navigator as Teller;
  const stop = new AbortController();
  const { signal } = stop;
  let battery: Battery | undefined;
  const say = () => tell(deviceOf(connection, battery));
  say();
  connection?.addEventListener("change", say, { signal });
  getBattery?.call(navigator).then(
    (found) => {
      if (signal.aborted) return;
      battery = found;
      for (const change of ["levelchange", "chargingchange"]) found.addEventListener(change, say, { signal });
      say();
    },
    () => {}, // not told here
  );
  return () => stop.abort();
}
