/**
 * One send in the transfer worker: creates the portal, starts the lane, runs core's sender.
 *
 * @module
 */
import { base64urlnopad } from "@scure/base";
import { callApi } from "../../core/edge/http-link.ts";
import { SteadyLink } from "../../core/edge/steady-link.ts";
import { Failure } from "../../core/failure.ts";
import type { Entry } from "../../core/manifest/entry.ts";
import { checkPath } from "../../core/manifest/path.ts";
import type { CreatePortal } from "../../core/portal/portal.ts";
import {
  createOwnerKey,
  deriveKeys,
  NO_PASSWORD,
  type PortalKeys,
  passwordSalt,
  relayToken,
  tokenHash,
} from "../../core/seal/keys.ts";
import { createLink, formatLink, type PortalLink } from "../../core/seal/link.ts";
import type { Progress } from "../../core/transfer/progress.ts";
import { Sender } from "../../core/transfer/sender.ts";
import { systemClock } from "../../platform/clock.ts";
import { createDial, relayInfo, webtransportAbsent } from "../../platform/link/dial.ts";
import { fetchFrom } from "../../platform/link/fetch.ts";
import { PASSWORD_PARAMETERS, passwordKey } from "../../platform/password.ts";
import { LaneClient } from "../lane/client.ts";
import type { SendItem, SendOptions } from "./api.ts";

export interface Send {
  /** Path and fragment of the share link. */
  readonly link: string;
  pause(): void;
  resume(): void;
  hashFile(index: number): Promise<string>;
  /** Ends it; a portal that is not complete is deleted. */
  cancel(): Promise<void>;
}

/** Creates the portal and starts sending. Progress tells how it goes. @throws Failure when the portal cannot be created */
export async function startSend(
  items: readonly SendItem[],
  options: SendOptions,
  progress: Progress,
  onChange: () => void,
): Promise<Send> {
  const entries = items.map(toEntry);
  progress.entriesTotal = entries.length;
  progress.bytesTotal = entries.reduce((sum, entry) => sum + entry.size, 0);
  progress.listed = true;
  const lane = new LaneClient();
  try {
    const portal = await createPortal(options, progress);
    return run(portal, items, entries, lane, options, progress, onChange);
  } catch (error) {
    lane.terminate();
    throw error;
  }
}

interface OwnedPortal {
  readonly link: PortalLink;
  readonly keys: PortalKeys;
  readonly ownerToken: Uint8Array<ArrayBuffer>;
}

async function createPortal(options: SendOptions, progress: Progress): Promise<OwnedPortal> {
  const { relayOrigin, password, expirySeconds, maxDownloads } = options;
  const link = createLink();
  const salted =
    password === "" ? NO_PASSWORD : await passwordKey(password, await passwordSalt(link), PASSWORD_PARAMETERS);
  const [keys, ownerKey] = await Promise.all([deriveKeys(link, salted), createOwnerKey()]);
  const [readToken, ownerToken] = await Promise.all([
    relayToken(keys.downloadAuth, "read", relayOrigin, link.portal),
    relayToken(ownerKey, "own", relayOrigin, link.portal),
  ]);
  const body: CreatePortal = {
    portal: base64urlnopad.encode(link.portal),
    keyCommitment: base64urlnopad.encode(keys.keyCommitment),
    password: password === "" ? null : PASSWORD_PARAMETERS,
    readTokenHash: base64urlnopad.encode(tokenHash(readToken)),
    ownerTokenHash: base64urlnopad.encode(tokenHash(ownerToken)),
    expirySeconds,
    maxDownloads,
  };
  const created = await callApi<{ expiresAtMs: number }>(fetchFrom(relayOrigin), {
    method: "POST",
    path: "/api/v1/portals",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  progress.expiresAtMs = created.expiresAtMs;
  return { link, keys, ownerToken };
}

function run(
  { link, keys, ownerToken }: OwnedPortal,
  items: readonly SendItem[],
  entries: readonly Entry[],
  lane: LaneClient,
  { relayOrigin, overrides }: SendOptions,
  progress: Progress,
  onChange: () => void,
): Send {
  let steady: SteadyLink | undefined;
  let sender: Sender | undefined;
  let cancelled = false;
  const finish = (outcome: "done" | Failure) => {
    progress.end(outcome);
    steady?.close();
    onChange();
  };
  const work = async () => {
    const [info] = await Promise.all([relayInfo(relayOrigin), lane.startScan(items)]);
    if (cancelled) return;
    steady = new SteadyLink({
      dial: createDial(relayOrigin, { portal: link.portal, role: "send", token: ownerToken }),
      clock: systemClock,
      forced: overrides.path,
      webtransportAbsent: webtransportAbsent(info),
      random: Math.random,
      onChange: () => {
        if (steady !== undefined) follow(progress, steady);
        onChange();
      },
    });
    sender = new Sender({
      portal: link.portal,
      keys,
      link: steady,
      entries,
      source: lane,
      clock: systemClock,
      progress,
    });
    if (progress.paused) sender.gate.shut();
    await sender.run();
  };
  work().then(
    () => finish("done"),
    (error: unknown) => finish(error instanceof Failure ? error : new Failure("engine/failed", {}, { cause: error })),
  );
  return {
    link: formatLink(link),
    pause: () => sender?.gate.shut(),
    resume: () => sender?.gate.open(),
    hashFile: (index) => {
      const file = items[index]?.file;
      if (!file) throw new Failure("file/unreadable");
      return lane.hashFile(file);
    },
    cancel: async () => {
      const complete = progress.ended;
      cancelled = true;
      finish(new Failure("cancelled"));
      lane.terminate();
      if (!complete) await deletePortal(relayOrigin, link, ownerToken);
    },
  };
}

/** What the steady link tells, as progress. */
export function follow(progress: Progress, link: SteadyLink): void {
  progress.link = link.status;
  progress.wireBytes = link.objectBytes;
  progress.waitingFor = link.status.carrier === null && link.status.nextTryAtMs !== null ? "relay" : null;
  progress.expiresAtMs = link.state?.expiresAtMs ?? progress.expiresAtMs;
  progress.peers = link.state?.receivers ?? 0;
}

async function deletePortal(relayOrigin: string, link: PortalLink, token: Uint8Array): Promise<void> {
  await callApi(fetchFrom(relayOrigin), {
    method: "DELETE",
    path: `/api/v1/portals/${base64urlnopad.encode(link.portal)}`,
    headers: { Authorization: `Bearer ${base64urlnopad.encode(token)}` },
  }).catch(() => {
    // an unreachable relay forgets the portal when it expires
  });
}

function toEntry({ path, file }: SendItem): Entry {
  checkPath(path);
  if (file === null) return { kind: "directory", path, size: 0, mtimeMs: 0 };
  return { kind: "file", path, size: file.size, mtimeMs: Math.max(0, Math.trunc(file.lastModified)) };
}
