/**
 * Keeps the screen on while a transfer runs: phones stop a page's network soon after the screen goes dark. The browser
 * takes the lock away when the page is hidden, so it is asked for again when the page is back.
 *
 * @module
 */

/** Holds the screen on until the returned function is called. Does nothing where the browser has no wake lock. */
export function keepScreenOn(): () => void {
  if (!("wakeLock" in navigator)) return () => {};
  let isWanted = true;
  let lock: WakeLockSentinel | null = null;

  const ask = async (): Promise<void> => {
    if (document.visibilityState !== "visible" || (lock !== null && !lock.released)) return;
    try {
      lock = await navigator.wakeLock.request("screen");
      if (!isWanted) await lock.release();
    } catch {
      // Refused, for example on low battery: the transfer goes on, only the screen may go dark.
    }
  };

  const onVisible = (): void => void ask();
  document.addEventListener("visibilitychange", onVisible);
  void ask();
  return () => {
    isWanted = false;
    document.removeEventListener("visibilitychange", onVisible);
    void lock?.release();
  };
}
