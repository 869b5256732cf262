// The worked example of docs/protocol/offline.md, section 14. purse_host_test holds the page to the host program's
// bytes, so these are the host's as well.
import assert from 'node:assert/strict';
import test from 'node:test';

import { cryptography } from '../dist/index.js';
import { bytes, device, hex, Issuer, suites, transfer, workedExample } from './support.mjs';

// The real thing, but its random numbers are 00 01 02 ….
function counting() {
  let next = 0;
  return { ...cryptography, random: (size) => Uint8Array.from({ length: size }, () => next++) };
}

test('every object and message has the bytes of the page', async () => {
  const page = await workedExample();
  const issuer = new Issuer(suites.ed25519);
  const shared = { cryptography: counting() };
  const ann = await device(issuer, 1, shared);
  const bob = await device(issuer, 2, shared);
  assert.equal(hex(ann.certificate), page.payer_certificate);
  assert.equal(hex(bob.certificate), page.payee_certificate);

  const said = transfer(ann.purse, bob.purse, 1_250n);
  assert.equal(hex(said.request), page.message_request);
  assert.equal(hex(said.pay), page.message_pay);
  assert.equal(hex(said.receipt), page.message_receipt);
  const evidence = [];
  for (let i = 0; ann.purse.evidence(i) !== undefined; ++i) evidence.push(ann.purse.evidence(i));
  assert.equal(hex(evidence.find(({ kind }) => kind === 4).object), page.note);
  assert.equal(hex(evidence.find(({ kind }) => kind === 5).object), page.receipt);
  assert.equal(hex(ann.platform.storage.journal.at(-1)), page.journal_record);

  const other = bob.purse.request(300n);
  assert.equal(hex(bob.purse.void(other.nonce)), '04' + page.void);

  const body = bytes(page.list_body);
  assert.equal(hex(issuer.listHead(2, 1_000, 3, body)), page.list_head);
  ann.purse.installList(bytes(page.list_head), body);
  assert.equal(ann.purse.info().listVersion, 2);
  ann.purse.sync(bytes(page.sync_ack));
  assert.equal(ann.purse.verifyProof([issuer.key], bytes(page.fork_proof)), 1);
});
