/**
 * Remembers over a reload of this tab that a download was running, which cannot be resumed. By the portal's id, never by
 * its secret.
 *
 * @module
 */

const keyOf = (portal: string): string => `download/${portal}`;

/** A download of this portal begins here. */
export function markDownload(portal: string): void {
  try {
    sessionStorage.setItem(keyOf(portal), "1");
  } catch {
    // storage is forbidden: the page will not be able to say why the download is gone
  }
}

/** It has ended, or another way to save was taken. */
export function unmarkDownload(portal: string): void {
  try {
    sessionStorage.removeItem(keyOf(portal));
  } catch {
    // nothing was marked
  }
}

/** True when a download of this portal began in this tab and did not end. */
export function wasDownloading(portal: string): boolean {
  try {
    return sessionStorage.getItem(keyOf(portal)) !== null;
  } catch {
    return false;
  }
}
