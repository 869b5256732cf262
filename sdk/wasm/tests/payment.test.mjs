// Payments between two purses in Node, in the three suites, and what goes wrong on the way.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Purse, PurseError } from '../dist/index.js';
import { bytes, device, Issuer, module, refusal, suites, transfer, workedExample } from './support.mjs';

for (const [name, suite] of Object.entries(suites)) {
  test(`${name}: two purses pay each other, and spend on what they received`, async () => {
    const issuer = new Issuer(suite);
    const ann = (await device(issuer, 1)).purse;
    const bob = (await device(issuer, 2)).purse;
    const first = transfer(ann, bob, 1_250n);
    assert.equal(ann.info().spendable, 98_750n);
    assert.equal(bob.info().spendable, 101_250n);
    const repeat = transfer(ann, bob, 50n, false);
    transfer(bob, ann, 1_300n); // the 1,300 that were received
    assert.equal(ann.info().spendable, 100_000n);
    const size = ({ request, pay, receipt }) => request.length + pay.length + receipt.length;
    console.log(`${name}: first meeting ${size(first)} bytes, repeat ${size(repeat)}`);
    assert.ok(size(first) <= 1_024 && size(repeat) <= 640);
  });
}

test('the receipt is lost and power goes: RESUME brings the same receipt', async () => {
  const issuer = new Issuer(suites.ed25519);
  const ann = await device(issuer, 1);
  const bob = (await device(issuer, 2)).purse;
  const lost = bob.receive(ann.purse.pay(bob.request(700n).message));
  assert.equal(lost.status, 'ok');
  ann.purse.close();
  const again = await ann.reopen();
  assert.equal(again.info().unknown, 700n);
  assert.equal(again.info().spendable, 99_300n);
  const resumed = bob.receive(again.resume());
  assert.deepEqual(again.receive(resumed.answer), { status: 'ok' });
  assert.equal(again.info().unknown, 0n);
  assert.equal(again.resume(), undefined);
  assert.equal(bob.info().spendable, 100_700n);
});

test('what is refused says why, and changes nothing', async () => {
  const issuer = new Issuer(suites.ed25519);
  const ann = await device(issuer, 1);
  const bob = (await device(issuer, 2)).purse;
  const request = bob.request(5n).message;
  const bent = Uint8Array.from(ann.purse.pay(request));
  bent[bent.length - 1] ^= 1;
  const { status, answer } = bob.receive(bent);
  assert.equal(status, 'bad_signature');
  assert.deepEqual(answer, Uint8Array.of(0x0f, 30));
  assert.equal(bob.info().spendable, 100_000n);
  assert.throws(() => ann.purse.pay(bob.request(50_001n).message), refusal('over_limit'));
  assert.throws(() => ann.purse.load(bytes('00')), refusal('malformed'));
  assert.throws(() => ann.purse.load(new Uint8Array(1 << 20)), refusal('too_large'));
  assert.throws(() => bob.request(-1n), refusal('bad_argument'));
  assert.throws(() => bob.request(1n << 64n), refusal('bad_argument')); // and is not cut down to 0
  assert.throws(() => bob.request(5), TypeError); // an amount is a bigint
  await assert.rejects(Purse.create(module, ann.platform, { purse: 1 }), refusal('bad_argument'));
});

test('an offer is shown before it is paid', async () => {
  const issuer = new Issuer(suites.ed25519);
  const ann = (await device(issuer, 1)).purse;
  const bob = (await device(issuer, 2)).purse;
  const invoice = bytes('0102030405060708');
  const offer = ann.look(bob.request(1_250n, { invoice }).message);
  assert.deepEqual(offer, { payee: 2, amount: 1_250n, asset: 'CNY', invoice, cvmRequired: false });
});

test('a voided request is never credited, and its note is answered with the VOID', async () => {
  const issuer = new Issuer(suites.ed25519);
  const ann = (await device(issuer, 1)).purse;
  const bob = (await device(issuer, 2)).purse;
  const { nonce, message } = bob.request(9n);
  const late = ann.pay(message);
  const voided = bob.void(nonce);
  assert.equal(bob.receive(late).status, 'already_voided');
  assert.deepEqual(ann.receive(voided), { status: 'ok' });
  assert.equal(ann.info().voidHeld, 9n);
});

test('storage that fails halts the purse, and the error carries the reason', async () => {
  const issuer = new Issuer(suites.ed25519);
  const ann = await device(issuer, 1);
  const bob = (await device(issuer, 2)).purse;
  const reason = new Error('the disk is full');
  ann.platform.storage.append = () => {
    throw reason;
  };
  const failed = (error) => error instanceof PurseError && error.status === 'storage_failed' && error.cause === reason;
  assert.throws(() => ann.purse.pay(bob.request(5n).message), failed);
  assert.throws(() => ann.purse.pay(bob.request(6n).message), refusal('halted'));
});

test('a proof is learned, and who it blames is paid by nobody', async () => {
  const page = await workedExample();
  const issuer = new Issuer(suites.ed25519);
  const bob = (await device(issuer, 2)).purse;
  const ann = (await device(issuer, 1)).purse;
  bob.learnProof(bytes(page.fork_proof));
  assert.throws(() => bob.pay(ann.request(5n).message), refusal('fork_proven'));
  const stranger = new Issuer(suites.ed25519, 0x66);
  assert.throws(() => bob.verifyProof([stranger.key], bytes(page.fork_proof)), refusal('unknown_issuer'));
});

test('each says what it knows after a payment; a deposit is carried by somebody else', async () => {
  const issuer = new Issuer(suites.ed25519);
  const ann = (await device(issuer, 1)).purse;
  const bob = (await device(issuer, 2)).purse;
  const page = await workedExample();
  bob.installList(bytes(page.list_head), bytes(page.list_body));
  transfer(ann, bob, 1_250n);
  const answered = bob.receive(ann.gossip());
  assert.equal(answered.status, 'ok');
  assert.deepEqual(ann.receive(answered.answer), { status: 'ok' });
  assert.equal(ann.info().listVersion, 2);
  assert.equal(ann.alarm(), undefined);
  assert.equal(ann.contradiction(0), undefined);

  const sealed = bob.mule(0, new Uint8Array(32).fill(9));
  assert.equal(bob.mule(1, new Uint8Array(32).fill(9)), undefined);
  assert.deepEqual(ann.receive(sealed), { status: 'ok' });
  assert.deepEqual(ann.trustInfo(), { listVersion: 2, listTime: 1_700_000_000, proofs: 0, contradictions: 0, carried: 1, twoLists: false });
  assert.deepEqual(ann.carried(0), sealed);
  ann.unload();
  assert.equal(ann.carried(0), undefined);
});
