/**
 * Whose portals these are, without an account: 32 random bytes that a person can write down as 24 words (BIP-39). From them
 * come the name of the person's vault, the key that seals its entries, and the root of its rights. A device keeps the seal key,
 * not extractable, and a random key of its own; the root it forgets once the words are written down.
 *
 * @module
 */
import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { ascii, concat } from "../bytes.ts";
import { Failure } from "../failure.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Random bytes behind a recovery phrase. */
export const IDENTITY_BYTES = 32;
/** Words of a recovery phrase. */
export const PHRASE_WORDS = 24;

/** What a recovery phrase gives; no key is extractable. */
export interface Identity {
  /** Public name of the vault, u8[16]. */
  readonly vault: Bytes;
  /** AES-256-GCM, for entries and names of devices. */
  readonly seal: CryptoKey;
  /** HMAC-SHA-256 key that makes the names of entries, so that they tell nothing. */
  readonly names: CryptoKey;
  /** HMAC-SHA-256 key behind the root token: it enrols devices. */
  readonly root: CryptoKey;
}

const WORDS: ReadonlySet<string> = new Set(wordlist);

/** @param entropy u8[32]; borrowed */
export async function deriveIdentity(entropy: Bytes): Promise<Identity> {
  const base = await crypto.subtle.importKey("raw", entropy, "HKDF", false, ["deriveBits", "deriveKey"]);
  const hkdf = (info: string) => ({
    name: "HKDF" as const,
    hash: "SHA-256",
    salt: ascii("warp/1 identity"),
    info: ascii(info),
  });
  const hmac = (info: string) =>
    crypto.subtle.deriveKey(hkdf(info), base, { name: "HMAC" as const, hash: "SHA-256", length: 256 }, false, ["sign"]);
  const [vault, seal, names, root] = await Promise.all([
    crypto.subtle.deriveBits(hkdf("vault"), base, 128),
    crypto.subtle.deriveKey(hkdf("seal"), base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
    hmac("names"),
    hmac("root"),
  ]);
  return { vault: new Uint8Array(vault), seal, names, root };
}

/** The 24 words. @param entropy u8[32]; borrowed */
export function phraseOf(entropy: Uint8Array): readonly string[] {
  return entropyToMnemonic(entropy, wordlist).split(" ");
}

/**
 * Reads a phrase as people type it: any spaces and capitals.
 * @throws Failure `phrase/wrong`; `details.word` is the first word (from 1) that is in no phrase, `details.words` how many
 * there are when it is the wrong number; neither when only the checksum is wrong
 */
export function parsePhrase(text: string): Bytes {
  const words = text
    .normalize("NFKD")
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const wrong = words.findIndex((word) => !WORDS.has(word));
  if (wrong !== -1 && wrong < PHRASE_WORDS) throw new Failure("phrase/wrong", { word: wrong + 1 });
  if (words.length !== PHRASE_WORDS) throw new Failure("phrase/wrong", { words: words.length });
  try {
    return new Uint8Array(mnemonicToEntropy(words.join(" "), wordlist));
  } catch (cause) {
    throw new Failure("phrase/wrong", {}, { cause });
  }
}

/** Name of an entry in the vault: the same for the same portal, and telling nothing about it. u8[16] */
export async function entryName(names: CryptoKey, portal: Uint8Array): Promise<Bytes> {
  const mac = await crypto.subtle.sign("HMAC", names, concat([ascii("warp/1 entry\0"), portal]));
  return new Uint8Array(mac.slice(0, 16));
}
