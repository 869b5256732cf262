// What is read of signed objects, and what a purse hands to the ledger.
import assert from 'node:assert/strict';
import test from 'node:test';

import { certificateOf, hexOf, listHeadOf, noteOf, ObjectError, Purse, readForkProof, readJournal, readObject, readObjects } from '../dist/index.js';
import { bytes, device, Issuer, module, refusal, suites, transfer, workedExample } from './support.mjs';

test('the objects of the worked example are read as the page describes them', async () => {
  const page = await workedExample();
  const lot = certificateOf(readObject(bytes(page.payer_certificate)));
  assert.deepEqual({ ...lot, id: hexOf(lot.id), issuer: hexOf(lot.issuer) }, {
    id: page.payer_lot, issuer: '73dacffcbde364fd', serial: 1n, purse: 1, suite: 1, assurance: 0, asset: 'CNY', amount: 100_000n, notBefore: 1_699_913_600,
    expires: 1_702_592_000, settleBy: 1_705_184_000, perPayment: 50_000n, directed: 0,
  });
  const note = noteOf(readObject(bytes(page.note)));
  assert.equal(hexOf(note.id), page.note_id);
  assert.deepEqual([note.payer, note.seq, note.payee, note.amount, note.hop], [1, 1, 2, 1_250n, 1]);
  assert.deepEqual(note.sources.map(({ id, offset, amount }) => [hexOf(id), offset, amount]), [[page.payer_lot, 0n, 1_250n]]);
  const head = listHeadOf(readObject(bytes(page.list_head)));
  assert.deepEqual([head.version, head.time, head.enrolled, head.revoked], [2, 1_700_000_000, 1_000, 3]);
  const proof = readForkProof(bytes(page.fork_proof));
  assert.deepEqual(proof.notes.map(({ payer, seq, amount }) => [payer, seq, amount]), [[1, 1, 1_250n], [1, 1, 1_250n]]);
  assert.equal(proof.certificate.serial, 1n);
});

test('what is not such an object is refused, wherever it is cut or bent', async () => {
  const page = await workedExample();
  const whole = bytes(page.fork_proof);
  for (let size = 0; size < whole.length; ++size) assert.throws(() => readForkProof(whole.subarray(0, size)), ObjectError);
  for (let at = 0; at < whole.length; ++at) {
    const bent = Uint8Array.from(whole);
    bent[at] ^= 0x20; // a major type, a length or content: read or refused, never another fault
    try {
      readForkProof(bent);
    } catch (error) {
      assert.ok(error instanceof ObjectError || error instanceof TypeError, String(error)); // TypeError: text that is no UTF-8
    }
  }
  assert.throws(() => readObject(bytes('00')), ObjectError);
  assert.throws(() => readObjects(bytes('9bffffffffffffffff')), ObjectError);
  assert.throws(() => readObjects(bytes('8'.repeat(40).replaceAll('8', '81'))), ObjectError); // too deep
  assert.throws(() => readObjects(bytes('1800')), ObjectError); // not the shortest form
  assert.throws(() => readObjects(new Uint8Array(64 * 1024 + 1)), ObjectError);
});

for (const [name, suite] of Object.entries(suites)) {
  test(`${name}: deposits of both sides, and nothing once it is acknowledged`, async () => {
    const issuer = new Issuer(suite);
    const ann = (await device(issuer, 1)).purse;
    const bob = (await device(issuer, 2)).purse;
    const eve = (await device(issuer, 3)).purse;
    transfer(ann, bob, 1_250n);
    bob.receive(ann.pay(bob.request(50n).message)); // and the receipt is lost
    transfer(bob, eve, 101_000n > bob.info().spendable ? bob.info().spendable : 1_200n);

    const payer = readJournal(ann);
    assert.deepEqual(payer.payments.map(({ direction, peer, amount, state }) => [direction, peer, amount, state]).sort(),
      [['paid', 2, 1_250n, 'done'], ['paid', 2, 50n, 'unknown']].sort());
    // With the receipt where there is one; then the note and the lot.
    assert.deepEqual(payer.items.map((item) => readObjects(item).map(({ type }) => type)), [[4, 3, 1], [3, 1]]);

    const payee = readJournal(bob);
    assert.equal(payee.payments.filter(({ direction, peer }) => direction === 'received' && peer === 1).length, 2);
    assert.equal(payee.payments.filter(({ direction, peer }) => direction === 'paid' && peer === 3).length, 1);
    assert.equal(payee.items.length, 3);
    for (const item of payee.items) assert.ok(item.length <= 4_500);

    // A VOID is handed in by both.
    const { nonce, message } = bob.request(9n);
    ann.pay(message);
    ann.receive(bob.void(nonce));
    assert.ok(readJournal(ann).items.some((item) => readObjects(item)[0].type === 5));
    assert.ok(readJournal(bob).items.some((item) => readObjects(item)[0].type === 5));
    assert.ok(readJournal(ann).payments.some(({ amount, state }) => amount === 9n && state === 'voided'));

    ann.sync(issuer.acknowledgement(1, 1, 3));
    const after = readJournal(ann);
    assert.deepEqual([after.sync.lastSync, after.sync.through], [1, 3]);
    assert.ok(after.payments.every(({ state }) => state === 'settled' || state === 'voided'));
    assert.deepEqual(after.items.map((item) => readObjects(item)[0].type), [5]);
  });
}

test('a proof is checked with the issuer\'s key and no purse', async () => {
  const page = await workedExample();
  const verifier = await Purse.verifier(module);
  const issuer = new Issuer(suites.ed25519);
  assert.equal(verifier.verifyProof([issuer.key], bytes(page.fork_proof)), 1);
  assert.throws(() => verifier.verifyProof([new Issuer(suites.ed25519, 0x66).key], bytes(page.fork_proof)), refusal('unknown_issuer'));
  const bent = bytes(page.fork_proof);
  bent[bent.length - 1] ^= 1;
  assert.throws(() => verifier.verifyProof([issuer.key], bent), refusal('bad_signature'));
});
