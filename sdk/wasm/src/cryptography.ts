// The cryptography of a purse in a browser or in Node, over libraries that are synchronous: WebCrypto is not. Each
// verifier follows the one strict rule of docs/crypto.md, which is narrower than what the libraries accept;
// tests/strict.test.mjs asks it the same vectors as the server's.
import { chacha20poly1305 } from '@noble/ciphers/chacha';
import { ed25519, x25519 } from '@noble/curves/ed25519';
import { p256 } from '@noble/curves/p256';
import { sha256, sha512 } from '@noble/hashes/sha2';
import { bytesToHex, concatBytes, hexToBytes, randomBytes } from '@noble/hashes/utils';
import { sm2, sm3 } from 'sm-crypto-v2';

import type { Cryptography, PurseSigner, Suite } from './platform.js';

type Point = InstanceType<typeof ed25519.Point>;

const order = ed25519.Point.Fn.ORDER;
const sm2Order = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt('0x' + bytesToHex(Uint8Array.from(bytes).reverse()));
}
function bigEndian(bytes: Uint8Array): bigint {
  return BigInt('0x' + bytesToHex(bytes));
}

// A canonical point: y below p, and x = 0 without the sign bit. Throws for anything else.
function ed25519Point(bytes: Uint8Array): Point {
  const point = ed25519.Point.fromBytes(bytes, false);
  if (bytesToHex(point.toBytes()) !== bytesToHex(bytes)) throw new Error('not canonical');
  return point;
}

// [S]B = R + [k]A without the cofactor: the library's own verification multiplies by it, and so says yes more often.
function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const a = ed25519Point(key);
  const encodedR = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (a.is0() || !a.isTorsionFree() || s >= order || ed25519Point(encodedR).isSmallOrder()) return false;
  const k = littleEndian(sha512(concatBytes(encodedR, key, message))) % order;
  const r = ed25519.Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
  return bytesToHex(r.toBytes()) === bytesToHex(encodedR);
}

function verifyP256(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return p256.verify(signature, sha256(message), key, { lowS: true, prehash: false, format: 'compact' });
}

// The library computes; that r and s are in range and r + s is not n is asked here.
function verifySm2(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const r = bigEndian(signature.subarray(0, 32));
  const s = bigEndian(signature.subarray(32));
  if (r === 0n || r >= sm2Order || s === 0n || s >= sm2Order || r + s === sm2Order) return false;
  return sm2.doVerifySignature(message, bytesToHex(signature), bytesToHex(key), { hash: true });
}

function isEcPoint(key: Uint8Array): boolean {
  return (key.length === 33 && (key[0] === 2 || key[0] === 3)) || (key.length === 65 && key[0] === 4);
}

export const cryptography: Cryptography = {
  hash(kind, parts) {
    const all = concatBytes(...parts);
    return kind === 1 ? sha256(all) : hexToBytes(sm3(all));
  },
  verify(suite, key, message, signature) {
    if (signature.length !== 64) return false;
    try {
      if (suite === 1) return key.length === 32 && verifyEd25519(key, message, signature);
      if (!isEcPoint(key)) return false;
      return suite === 2 ? verifyP256(key, message, signature) : verifySm2(key, message, signature);
    } catch {
      return false; // not a point, or a number out of range
    }
  },
  x25519: (scalar, point) => x25519.getSharedSecret(scalar, point),
  seal: (key, nonce, aad, plain) => chacha20poly1305(key, nonce, aad).encrypt(plain),
  open(key, nonce, aad, sealed) {
    try {
      return chacha20poly1305(key, nonce, aad).decrypt(sealed);
    } catch {
      return undefined;
    }
  },
  random: (size) => randomBytes(size),
};

// A key in memory (class A0): the 32-byte seed of Ed25519, or the private scalar. Throws for one that is none.
export function softwareSigner(suite: Suite, secret: Uint8Array): PurseSigner {
  if (secret.length !== 32) throw new Error(`a private key has 32 bytes, not ${secret.length}`);
  if (suite === 1) {
    return { suite, publicKey: ed25519.getPublicKey(secret), sign: (message) => ed25519.sign(message, secret) };
  }
  if (suite === 2) {
    const sign = (message: Uint8Array) => p256.sign(sha256(message), secret, { lowS: true, prehash: false }).toBytes('compact');
    return { suite, publicKey: p256.getPublicKey(secret, true), sign };
  }
  const hex = bytesToHex(secret);
  const scalar = bigEndian(secret);
  if (scalar === 0n || scalar >= sm2Order - 1n) throw new Error('not an SM2 private key: it must be from 1 to n - 2');
  const publicKey = sm2.getPublicKeyFromPrivateKey(hex);
  const sign = (message: Uint8Array) =>
    hexToBytes(sm2.doSignature(message, hex, { hash: true, publicKey, pointPool: [sm2Nonce()] }));
  return { suite, publicKey: hexToBytes(sm2.compressPublicKeyHex(publicKey)), sign };
}

// k and the x of [k]G. Drawn here: the library's own generator has a pool that some hosts fill late.
function sm2Nonce(): { k: bigint; x1: bigint } {
  for (;;) {
    const drawn = randomBytes(32);
    const k = bigEndian(drawn);
    if (k === 0n || k >= sm2Order) continue;
    const point = sm2.getPublicKeyFromPrivateKey(bytesToHex(drawn)); // 04, x, y
    return { k, x1: BigInt('0x' + point.slice(2, 66)) };
  }
}
