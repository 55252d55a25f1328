/**
 * What a link's conditions say: whether it opens now, and whether what is taken through it is counted.
 *
 * @module
 */
import type { StoredLink } from "../store/access.ts";
import type { StoredPortal } from "../store/store.ts";

/** True inside of the link's window, while uses are left, and for a request's link while it is not paused. */
export function isLinkOpen(link: StoredLink, portal: StoredPortal, nowMs: number): boolean {
  const { notBeforeMs, maxUses, uses, capability } = link;
  if (notBeforeMs !== null && nowMs < notBeforeMs) return false;
  if (isLinkOver(link, nowMs)) return false;
  if (maxUses !== null && uses >= maxUses) return false;
  return capability !== "write" || !portal.isPaused;
}

/** True after the link's window. */
export function isLinkOver({ expiresAtMs }: StoredLink, nowMs: number): boolean {
  return expiresAtMs !== null && nowMs >= expiresAtMs;
}

/** True when downloads through this link are counted against a limit: packs come only to who holds a claim. */
export function isLimited({ capability, maxUses }: StoredLink, { maxDownloads }: StoredPortal): boolean {
  return capability === "read" && (maxUses !== null || maxDownloads !== null);
}

/** True when downloads through any of its links are counted. */
export function isCounted(portal: StoredPortal): boolean {
  return portal.links.some((link) => isLimited(link, portal));
}
