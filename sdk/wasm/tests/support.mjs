// What the tests share: the page's worked example, an issuer, and devices in memory.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { compilePurse, cryptography, MemoryAnchor, MemoryStorage, Purse, softwareSigner } from '../dist/index.js';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const module = await compilePurse(await readFile(new URL('../dist/purse.wasm', import.meta.url)));
export const today = 1_700_000_000;
const day = 86_400;

export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const bytes = (text) => Uint8Array.from(Buffer.from(text, 'hex'));
export const suites = { ed25519: 1, p256: 2, sm2: 3 };

// The blocks "```hex name" of the specification.
export async function workedExample() {
  const page = await readFile(root + 'docs/protocol/offline.md', 'utf8');
  const blocks = [...page.matchAll(/```hex (\w+)\n([0-9a-f\n]+)```/g)];
  assert.ok(blocks.length > 10, 'the page has examples');
  return Object.fromEntries(blocks.map(([, name, text]) => [name, text.replaceAll('\n', '')]));
}

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
  if (typeof value === 'string') return [...head(3, value.length), ...Buffer.from(value)];
  if (Array.isArray(value)) return [...head(4, value.length), ...value.flatMap(cbor)];
  return head(0, value);
}

const protectedHeader = { 1: bytes('a10127'), 2: bytes('a10126'), 3: bytes('a1013a00010040') };

function sign1(signer, content) {
  const payload = Uint8Array.from(cbor(content));
  const aad = Uint8Array.from(Buffer.from('jiaozi/purse/1'));
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
  listHead(version, enrolled, revoked, body) {
    return sign1(this.signer, [6, this.kid, version, today, enrolled, revoked, cryptography.hash(this.suite === 3 ? 2 : 1, [body])]);
  }
}

// A device whose seed is its number, with a lot of 100,000 and blacklist 1 (999 of 1,000).
export async function device(issuer, number, options = {}) {
  const id = new Uint8Array(16);
  id.set([1, number]);
  const platform = {
    cryptography: options.cryptography ?? cryptography,
    signer: softwareSigner(issuer.suite, new Uint8Array(32).fill(number)),
    storage: options.storage ?? new MemoryStorage(),
    anchor: options.anchor ?? new MemoryAnchor(id),
    now: () => today,
  };
  const purse = await Purse.create(module, platform, { purse: number });
  purse.trust([issuer.key]);
  const certificate = issuer.certificate(number, platform.signer.publicKey);
  purse.load(certificate);
  const list = bytes('bcc0'); // 998 with k = 9: a one-bit and a zero, nine bits of 486, filled up
  purse.installList(issuer.listHead(1, 1_000, 1, list), list);
  return { purse, platform, certificate, reopen: async () => reopened(platform, issuer) };
}

async function reopened(platform, issuer) {
  const purse = await Purse.open(module, platform);
  purse.trust([issuer.key]);
  return purse;
}

// A whole payment with nothing lost; the three messages.
export function transfer(payer, payee, amount, withCertificate = true) {
  const { message: request } = payee.request(amount, { withCertificate });
  const pay = payer.pay(request);
  const credited = payee.receive(pay);
  assert.equal(credited.status, 'ok');
  const done = payer.receive(credited.answer);
  assert.deepEqual(done, { status: 'ok' });
  return { request, pay, receipt: credited.answer };
}

export function refusal(status) {
  return (error) => error.name === 'PurseError' && error.status === status;
}
