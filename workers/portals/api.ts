/**
 * Contract of the portals worker: everything that this browser sent, received, asked for or manages, the rules and links of
 * its portals, and the identity that carries the list to other devices. One worker for a page; plain data only.
 *
 * @module
 */
import type { EndReason, LinkDetails, PortalKind } from "../../core/portal/portal.ts";
import type { PortalPhase } from "../../core/wire/frame.ts";

export type { Capability, LinkDetails } from "../../core/portal/portal.ts";

/** How a portal came onto the list: sent or asked for here (or on another device of the same person), managed by an admin
 * link, received, or handed in to somebody's request. */
export type KnownAs = "sent" | "request" | "managed" | "received" | "delivered";

/** One portal of the list; from this browser's own store, with what the relay told last. Milliseconds since 1970. */
export interface KnownPortal {
  /** The portal's id, base64url. */
  readonly portal: string;
  readonly relayOrigin: string;
  /** Origins of further relays where it lives; of one that has ended, those that do not know it yet. */
  readonly relays: readonly string[];
  readonly as: KnownAs;
  readonly kind: PortalKind;
  /** A file's name, "12 files", or the title of a request. */
  readonly title: string;
  readonly bytesTotal: number;
  readonly entriesTotal: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  /** It can be changed and ended from here. */
  readonly canManage: boolean;
  /** The first link's path and fragment, where it is known: to copy, and to open again. */
  readonly link: string | null;
  /** What the relay told last; null when it was not asked or did not answer. */
  readonly live: LivePortal | null;
  /** It is over: the relay has ended it, or knows it no more. */
  readonly ended: EndReason | "unknown" | null;
}

/** What the relay tells of a portal that can be managed. */
export interface LivePortal {
  readonly phase: PortalPhase;
  readonly isComplete: boolean;
  readonly bytes: number;
  readonly downloads: number;
  readonly maxDownloads: number | null;
  /** Downloads that are running. */
  readonly claims: number;
  readonly receivers: number;
  readonly idleSeconds: number | null;
  /** By this machine's clock. */
  readonly expiresAtMs: number;
  readonly usedAtMs: number;
  readonly links: readonly KnownLink[];
  /** Deliveries of a request; null for any other portal. */
  readonly deliveries: readonly KnownDelivery[] | null;
}

/** A link of a portal that can be managed. */
export interface KnownLink extends LinkDetails {
  /** What its maker called it; empty when it was made elsewhere. */
  readonly label: string;
  /** Path and fragment; null when it was made elsewhere, and only its name at the relay is known. */
  readonly path: string | null;
}

/** What somebody handed in. */
export interface KnownDelivery {
  readonly portal: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly bytes: number;
  readonly isComplete: boolean;
  /** Path and fragment of its link, for this person alone; null when what the relay has of it does not open. */
  readonly path: string | null;
}

/** What is left out stays as it is. */
export interface RuleChange {
  readonly expirySeconds?: number;
  readonly idleSeconds?: number | null;
  readonly maxDownloads?: number | null;
  readonly paused?: boolean;
}

export interface LinkOptions {
  readonly capability: "read" | "write" | "admin";
  /** For the maker alone. */
  readonly label: string;
  /** Empty for none. */
  readonly password: string;
  readonly maxUses: number | null;
  readonly notBeforeMs: number | null;
  readonly expiresAtMs: number | null;
}

export interface RequestOptions {
  /** Shown to those who open its link. */
  readonly title: string;
  readonly expirySeconds: number;
  /** Deliveries that its link takes, or null. */
  readonly maxUses: number | null;
  /** Empty for none. */
  readonly password: string;
  readonly relayOrigin: string;
}

/** Where this browser stands with the recovery phrase. */
export interface IdentityState {
  /**
   * `local`: the list is in this browser alone. `unconfirmed`: a phrase was made and not yet written down. `kept`: the list is
   * kept, sealed, at the relay. `revoked`: another device took this one off.
   */
  readonly state: "local" | "unconfirmed" | "kept" | "revoked";
  /** When the list was last the same here and at the relay; null for never. */
  readonly syncedAtMs: number | null;
}

export interface KnownDevice {
  readonly device: string;
  readonly name: string;
  readonly addedAtMs: number;
  readonly seenAtMs: number;
  readonly isRevoked: boolean;
  /** It is this one. */
  readonly isThis: boolean;
}

/** Every method rejects with a Failure (core/failure.ts) whose code and details survive the crossing. */
export interface PortalsApi {
  /** Calls back when the list changed, here or in another tab of this browser. */
  subscribe(onChange: () => void): Promise<void>;
  /** The list, newest first; without asking any relay. */
  list(): Promise<readonly KnownPortal[]>;
  /** Asks the relays for the live state of what can be managed and has not ended, and the vault for changes; `subscribe` tells. */
  refresh(): Promise<void>;
  /** Path and fragment of a link that this browser kept, for an address without its secret; null when it has none. */
  linkOf(portal: string): Promise<string | null>;
  /** Puts the portal of an admin link onto the list. Fails like opening a link, `link/purpose` for another one. */
  adopt(link: string, password: string, relayOrigin: string): Promise<string>;

  change(portal: string, change: RuleChange): Promise<void>;
  /** Ends it for everybody: its bytes go, and it stays on the list as ended. */
  end(portal: string): Promise<void>;
  /** Takes it off the list (and out of the vault); what has not ended goes on. */
  forget(portal: string): Promise<void>;
  /** Makes another link. Gives its path and fragment. */
  addLink(portal: string, options: LinkOptions): Promise<string>;
  /** Makes a link worth nothing; the others stay. */
  revokeLink(portal: string, link: string): Promise<void>;
  /** Asks for files. Gives path and fragment of the link to hand out. */
  createRequest(options: RequestOptions): Promise<string>;

  identity(): Promise<IdentityState>;
  /** Makes a recovery phrase, or gives the one that was not confirmed yet: 24 words. */
  makePhrase(): Promise<readonly string[]>;
  /** The words are written down: the list is kept at the relay from now on, and the words are forgotten here. */
  confirmPhrase(relayOrigin: string, deviceName: string): Promise<void>;
  /** Adds this device by the phrase, and brings its list. Fails with `phrase/wrong`, `vault/unknown`. */
  restore(phrase: string, relayOrigin: string, deviceName: string): Promise<void>;
  devices(): Promise<readonly KnownDevice[]>;
  /**
   * Takes a device off: it is told nothing new, and the keys by which portals are managed are replaced. Gives the number of
   * portals whose key could not be replaced yet, because they are still being sent.
   */
  revokeDevice(device: string): Promise<number>;

  /** The whole list with its links, as readable JSON; it holds secrets. */
  exportList(): Promise<string>;
  /** Forgets everything here: list, identity, links. Portals go on until they end. */
  clear(): Promise<void>;

  /** The invitation that this browser shows to relays that ask for one; empty for none. */
  invite(): Promise<string>;
  setInvite(invite: string): Promise<void>;
}
