// What an issuer signs, for tests in Node and in a browser.
import { cryptography, softwareSigner } from '../dist/index.js';

export const suites = { ed25519: 1, p256: 2, sm2: 3 };
export const today = 1_700_000_000;
const day = 86_400;

export const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

// Deterministic CBOR of what an issuer signs: uint, bytes, text and arrays.
function head(major, value) {
  const n = BigInt(value);
  const sizes = [[24n, 0], [1n << 8n, 1], [1n << 16n, 2], [1n << 32n, 4], [1n << 64n, 8]];
  const [, size] = sizes.find(([limit]) => n < limit);
  if (size === 0) return [major << 5 | Number(n)];
  return [major << 5 | 24 + Math.log2(size), ...bytes(n.toString(16).padStart(2 * size, '0'))];
}
function cbor(value) {
  if (value instanceof Uint8Array) return [...head(2, value.length), ...value];
  if (typeof value === 'string') return [...head(3, value.length), ...new TextEncoder().encode(value)];
  if (Array.isArray(value)) return [...head(4, value.length), ...value.flatMap(cbor)];
  return head(0, value);
}

const protectedHeader = { 1: bytes('a10127'), 2: bytes('a10126'), 3: bytes('a1013a00010040') };

function sign1(signer, content) {
  const payload = Uint8Array.from(cbor(content));
  const aad = new TextEncoder().encode('jiaozi/purse/1');
  const signature = signer.sign(Uint8Array.from(cbor(['Signature1', protectedHeader[signer.suite], aad, payload])));
  return Uint8Array.from([0x84, ...cbor(protectedHeader[signer.suite]), 0xa0, ...cbor(payload), ...cbor(signature)]);
}

export class Issuer {
  #serial = 0;
  constructor(suite, seed = 0xa1) {
    this.suite = suite;
    this.signer = softwareSigner(suite, new Uint8Array(32).fill(seed));
    this.kid = cryptography.hash(1, [Uint8Array.of(suite), this.signer.publicKey]).slice(0, 8);
  }
  get key() {
    return { suite: this.suite, publicKey: this.signer.publicKey };
  }
  certificate(purse, publicKey, amount = 100_000n) {
    return sign1(this.signer, [1, this.kid, ++this.#serial, purse, publicKey, this.suite, 0, 'CNY', amount,
      today - day, today + 30 * day, today + 60 * day, 50_000, 50_000, 1_000, 5, 1_000_000, 0, 0]);
  }
  acknowledgement(purse, sync, through, { flags = 1, next = 0 } = {}) {
    return sign1(this.signer, [7, this.kid, purse, sync, today, through, next, flags, []]);
  }
  listHead(version, enrolled, revoked, body) {
    return sign1(this.signer, [6, this.kid, version, today, enrolled, revoked, cryptography.hash(this.suite === 3 ? 2 : 1, [body])]);
  }
}

// Head and body of blacklist 1: 999 of 1,000. 998 with k = 9 is a one-bit and a zero, nine bits of 486, filled up.
export function freshList(issuer) {
  const body = bytes('bcc0');
  return [issuer.listHead(1, 1_000, 1, body), body];
}
