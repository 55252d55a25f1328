import { describe, expect, it } from "vitest";
import { noise } from "../../tests/support/bytes.ts";
import { settle } from "../../tests/support/fake-clock.ts";
import {
  base,
  codeOf,
  foreign,
  HELD,
  refuse,
  respond,
  role,
  sealed,
  sender,
  setUpHttp,
  state,
} from "../../tests/support/fake-http.ts";
import { Failure } from "../failure.ts";
import { LEASE_HEADER, type PortalStateJson } from "../portal/portal.ts";
import type { Link } from "../ports/link.ts";
import { LINK_SILENCE_MS } from "../units.ts";
import type { HttpRequest, HttpResponse } from "./http-link.ts";

describe("a link of plain requests", () => {
  it("[EDGE-22] knows what answers in the relay's place: a login page, a redirect, a proxy whose relay is away", async () => {
    for (const [response, code] of [
      [foreign(200, "<html>please log in</html>"), "relay/foreign"],
      [foreign(200, { welcome: "captive portal" }), "relay/foreign"],
      [foreign(200, state), "relay/foreign"],
      [foreign(204, ""), "relay/foreign"],
      [foreign(302, "", { Location: "https://login.example" }), "relay/foreign"],
      [foreign(0, ""), "relay/foreign"],
      [foreign(403, { code: "portal/expired", details: {} }), "relay/foreign"],
      [foreign(511, "<html>network authentication required</html>"), "relay/foreign"],
      [foreign(502, "<html>bad gateway</html>"), "relay/unreachable"],
      [foreign(504, "<html>gateway timeout</html>"), "relay/unreachable"],
      [foreign(429, "slow down"), "relay/busy"],
      [foreign(413, "<html>too large</html>"), "wire/too-large"],
    ] as const) {
      expect(await codeOf(setUpHttp(() => response).opening)).toBe(code);
    }
  });

  it("[EDGE-22] takes nothing for stored, sent or fetched that something else answered, and ends", async () => {
    for (const use of [
      (link: Link) => link.put(sealed(0).object),
      (link: Link) => link.get("page", 0),
      (link: Link) => link.commit({ packs: 1, pages: 1, root: noise(32, 0) }),
      (link: Link) => link.complete(noise(16, 0)),
    ]) {
      const { opening } = setUpHttp(({ path }) => (path === base ? undefined : foreign(204, "")), sender);
      const link = await opening;
      expect(await codeOf(use(link))).toBe("relay/foreign");
      expect((await link.closed).code).toBe("relay/foreign");
    }
  });

  it("[EDGE-16] is given a lease when it has none, and says it with all that it stores", async () => {
    const answer = ({ method, path }: HttpRequest) => {
      if (path === `${base}/lease`) return respond(200, { lease: 5 });
      return method === "GET" ? undefined : respond(204, "");
    };
    for (const [wish, lease] of [
      [{ lease: 0, takeOver: true }, 5],
      [HELD, 4],
    ] as const) {
      const { opening, requests } = setUpHttp(answer, sender, wish);
      const link = await opening;
      expect(link.lease).toBe(lease);
      await link.put(sealed(0).object);
      await link.commit({ packs: 0, pages: 1, root: noise(32, 0) });
      const after = requests.filter(({ path }) => !path.endsWith("/lease"));
      expect(after.map(({ headers }) => headers?.[LEASE_HEADER])).toEqual(Array(3).fill(String(lease)));
      const asked = requests.filter(({ path }) => path.endsWith("/lease")).map(({ body }) => JSON.parse(String(body)));
      expect(asked).toEqual(lease === 5 ? [{ takeOver: true }] : []);
      link.close();
    }
    const receiving = setUpHttp(answer, role, { lease: 0, takeOver: false });
    expect((await receiving.opening).lease).toBe(0);
    expect(receiving.requests.map(({ path }) => path)).toEqual([base]);
    (await receiving.opening).close();
  });

  it("[EDGE-16] is refused where another sender is, and ends when another one took the portal over", async () => {
    const leased = setUpHttp(({ path }) => (path.endsWith("/lease") ? refuse("portal/leased") : undefined), sender, {
      lease: 0,
      takeOver: false,
    });
    expect(await codeOf(leased.opening)).toBe("portal/leased");
    const lost = setUpHttp(({ method }) => (method === "PUT" ? refuse("portal/lease-lost") : undefined), sender);
    const link = await lost.opening;
    expect(await codeOf(link.put(sealed(0).object))).toBe("portal/lease-lost");
    expect((await link.closed).code).toBe("portal/lease-lost");
  });

  it("[EDGE-17] finds out what the relay lost of what it acknowledged before it was asked", async () => {
    const told: PortalStateJson[] = [];
    const waiting: ((response: HttpResponse) => void)[] = [];
    const { opening, clock } = setUpHttp(({ method, path }) => {
      if (method === "PUT") return respond(204, "");
      return path.includes("after=") ? new Promise((resolve) => waiting.push(resolve)) : undefined;
    }, sender);
    const tell = async (heldPages: readonly number[]) => {
      told.push({ ...state, version: 8 + told.length, heldPages });
      waiting.shift()?.(respond(200, told.at(-1)));
      await clock.advance(1);
    };
    const link = await opening;
    const lost: string[] = [];
    link.onState(() => {});
    link.onLost((kind, index) => lost.push(`${kind} ${index}`));
    await link.put(sealed(0).object);
    await tell([]); // was asked for before the page was there
    expect(lost).toEqual([]);
    await link.put(sealed(1).object);
    await tell([0, 1]); // the same for the second page
    expect(lost).toEqual([]);
    await tell([1, 2]);
    expect(lost).toEqual(["page 0"]);
    await tell([1, 2]);
    expect(lost).toEqual(["page 0"]);
    await link.put(sealed(0).object);
    await tell([1, 2]);
    await tell([]);
    expect(lost.toSorted()).toEqual(["page 0", "page 0", "page 1"]);
    link.close();
  });

  it("[EDGE-20] ends when no poll is answered any more, and lives as long as something is", async () => {
    const { opening, clock } = setUpHttp(({ path }) => {
      if (!path.includes("after=")) return undefined;
      return clock.now() < 60_000 ? clock.sleep(5_000).then(() => respond(200, state)) : undefined;
    });
    const link = await opening;
    link.onState(() => {});
    const pending = codeOf(link.get("pack", 0));
    await clock.advance(58_000);
    expect(clock.now() - link.heardMs).toBeLessThanOrEqual(6_000);
    await clock.advance(2 * LINK_SILENCE_MS);
    expect((await link.closed).code).toBe("relay/unreachable");
    expect(await pending).toMatch(/cancelled|relay\/unreachable/);
    await clock.advance(1_000);
    expect(clock.sleeping).toBe(0);
  });

  it("[EDGE-18] leaves no request behind when its opening is given up", async () => {
    const { opening, stop, requests } = setUpHttp(({ path, signal }) => {
      if (path !== base) return undefined;
      return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Failure("cancelled"))));
    });
    await settle();
    stop.abort();
    expect(await codeOf(opening)).toBe("cancelled");
    expect(requests.map(({ signal }) => signal?.aborted)).toEqual([true]);
  });
});
