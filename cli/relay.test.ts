import { expect, test } from "vitest";
import { deferred } from "../core/edge/deferred.ts";
import { Failure } from "../core/failure.ts";
import type { Clock } from "../core/ports/clock.ts";
import { openRelayLink } from "./relay.ts";

/** A clock whose sleeps end one by one, the shortest first, as soon as everything else stands still. */
function fastClock(): Clock {
  let now = 0;
  const sleeping: { until: number; wake: () => void }[] = [];
  const step = (): void => {
    sleeping.sort((a, b) => a.until - b.until);
    const next = sleeping.shift();
    if (next === undefined) return;
    now = Math.max(now, next.until);
    next.wake();
  };
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { until: now + ms, wake: resolve };
        sleeping.push(sleeper);
        signal?.addEventListener("abort", () => {
          const at = sleeping.indexOf(sleeper);
          if (at >= 0) sleeping.splice(at, 1);
          reject(new Failure("cancelled"));
        });
        setImmediate(step);
      }),
  };
}

test("a relay that stays away for too long ends the transfer with relay/unreachable", async () => {
  const away = () => Promise.reject(new Failure("relay/unreachable"));
  const { lost, close } = openRelayLink(away, new AbortController().signal, () => {}, fastClock(), 60_000);
  await expect(lost).rejects.toMatchObject({ code: "relay/unreachable", details: { what: "patience" } });
  close();
});

test("a cancel ends a link that is still connecting", async () => {
  const cancel = new AbortController();
  const dialling = deferred<void>();
  const dial = () => {
    dialling.resolve();
    return new Promise<never>(() => {});
  };
  const { lost, steady } = openRelayLink(dial, cancel.signal, () => {});
  await dialling.promise;
  cancel.abort();
  await expect(lost).rejects.toMatchObject({ code: "cancelled" });
  await expect(steady.connected()).rejects.toMatchObject({ code: "cancelled" });
});
