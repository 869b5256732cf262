// What a purse needs of its surroundings: jz_platform in jiaozi_purse.h, as interfaces. All of it is synchronous, because
// the purse is: what is on the medium must be known before a message leaves. A method that throws has failed; the purse
// then answers storage_failed, crypto_failed or signer_refused, with what was thrown as the cause.

export type Suite = 1 | 2 | 3; // Ed25519, P-256, SM2
export type HashKind = 1 | 2; // SHA-256, SM3

export interface Cryptography {
  hash(kind: HashKind, parts: readonly Uint8Array[]): Uint8Array;
  // One strict rule per suite: docs/crypto.md, "One form for each signature". Never throws for input.
  verify(suite: Suite, publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  // Throws for a product that is zero.
  x25519(scalar: Uint8Array, point: Uint8Array): Uint8Array;
  // ChaCha20-Poly1305: the ciphertext and its tag of 16 bytes; undefined when the tag is wrong.
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array;
  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  random(size: number): Uint8Array;
}

export interface PurseSigner {
  readonly suite: Suite;
  readonly publicKey: Uint8Array; // 32 bytes for Ed25519, else 33, compressed
  sign(message: Uint8Array): Uint8Array; // 64 bytes
}

export type StorageArea = 'bundle' | 'list' | 'mule'; // 16, 2 and 48 slots

// A record (576 bytes) or slot is on the medium when append or save returns. A device that carries nothing for others,
// or less, throws for the 'mule' slots it lacks when saving and has none when loading.
export interface PurseStorage {
  append(index: bigint, record: Uint8Array): void; // a new one, or again the last
  read(index: bigint): Uint8Array | undefined;
  save(area: StorageArea, slot: number, content: Uint8Array): void;
  load(area: StorageArea, slot: number, offset: number, size: number): Uint8Array | undefined;
}

// A counter that a restored backup does not bring back, and the 16 bytes that name it.
export interface PurseAnchor {
  read(): { id: Uint8Array; counter: number };
  advance(counter: number): void;
}

export interface Platform {
  cryptography: Cryptography;
  signer: PurseSigner;
  storage: PurseStorage;
  anchor: PurseAnchor;
  now(): number; // seconds since 1970; may be wrong or 0
}
