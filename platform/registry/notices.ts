/**
 * Word of a change of the list, to every thread and tab of this browser.
 *
 * @module
 */

const CHANNEL = "warp-portals";

let channel: BroadcastChannel | undefined;
const listeners = new Set<() => void>();

/** Tells everybody, this thread too. */
export function tellChange(): void {
  open().postMessage("changed");
  for (const listener of listeners) listener();
}

/** Calls back for every change until the thread ends. */
export function onChange(listener: () => void): void {
  open();
  listeners.add(listener);
}

function open(): BroadcastChannel {
  if (channel !== undefined) return channel;
  channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = () => {
    for (const listener of listeners) listener();
  };
  return channel;
}
