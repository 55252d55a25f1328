/**
 * When the browser tells that the network is back, or another one: worth a try at once.
 *
 * @module
 */

/** Of the Network Information API, where a browser has it. */
interface Connection extends EventTarget {
  /** `wifi`, `cellular`, …; absent on desktops. */
  readonly type?: string;
}

/** Calls the listener until the function that it gives is called. In a worker or on a page. */
export function onNetworkChange(listener: () => void): () => void {
  const { connection } = navigator as { readonly connection?: Connection };
  let type = connection?.type;
  // It also tells of each new guess at the line's speed.
  const onChange = () => {
    if (connection?.type === type) return;
    type = connection?.type;
    listener();
  };
  globalThis.addEventListener("online", listener);
  connection?.addEventListener("change", onChange);
  return () => {
    globalThis.removeEventListener("online", listener);
    connection?.removeEventListener("change", onChange);
  };
}
