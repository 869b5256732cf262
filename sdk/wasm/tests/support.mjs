// What the tests share: the page's worked example, an issuer, and devices in memory.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { compilePurse, cryptography, MemoryAnchor, MemoryStorage, Purse, softwareSigner } from '../dist/index.js';
import { bytes, freshList, Issuer, suites, today } from './issuer.mjs';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const module = await compilePurse(await readFile(new URL('../dist/purse.wasm', import.meta.url)));
export const hex = (content) => Buffer.from(content).toString('hex');
export { bytes, Issuer, suites, today };

// The blocks "```hex name" of the specification.
export async function workedExample() {
  const page = await readFile(root + 'docs/protocol/offline.md', 'utf8');
  const blocks = [...page.matchAll(/```hex (\w+)\n([0-9a-f\n]+)```/g)];
  assert.ok(blocks.length > 10, 'the page has examples');
  return Object.fromEntries(blocks.map(([, name, text]) => [name, text.replaceAll('\n', '')]));
}

// A device whose seed is its number, with a lot of 100,000 and blacklist 1.
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
  purse.installList(...freshList(issuer));
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
