/** The few web globals that exist in browsers, workers and Node alike; nothing else may be named in core. */
declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: ArrayBufferView | ArrayBuffer): string;
}
interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
interface CryptoKey {
  readonly extractable: boolean;
  readonly type: string;
}
type CoreBytes = ArrayBufferView<ArrayBuffer> | ArrayBuffer;
interface SubtleCrypto {
  importKey(
    format: "raw",
    key: CoreBytes,
    algorithm: string | { name: string; hash?: string },
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
  deriveBits(
    algorithm: { name: "HKDF"; hash: string; salt: CoreBytes; info: CoreBytes },
    key: CryptoKey,
    lengthBits: number,
  ): Promise<ArrayBuffer>;
  deriveKey(
    algorithm: { name: "HKDF"; hash: string; salt: CoreBytes; info: CoreBytes },
    key: CryptoKey,
    derived: { name: string; length?: number; hash?: string },
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
  encrypt(
    algorithm: { name: "AES-GCM"; iv: CoreBytes; additionalData: CoreBytes },
    key: CryptoKey,
    data: CoreBytes,
  ): Promise<ArrayBuffer>;
  decrypt(
    algorithm: { name: "AES-GCM"; iv: CoreBytes; additionalData: CoreBytes },
    key: CryptoKey,
    data: CoreBytes,
  ): Promise<ArrayBuffer>;
  sign(algorithm: "HMAC", key: CryptoKey, data: CoreBytes): Promise<ArrayBuffer>;
  digest(algorithm: "SHA-256", data: CoreBytes): Promise<ArrayBuffer>;
}
declare const crypto: {
  readonly subtle: SubtleCrypto;
  getRandomValues<T extends ArrayBufferView<ArrayBuffer>>(array: T): T;
};
