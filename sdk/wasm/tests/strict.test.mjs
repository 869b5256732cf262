// Device, server and browser must agree on every signature: the vectors of docs/crypto.md, "The same answer everywhere".
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

import { cryptography, softwareSigner } from '../dist/index.js';
import { bytes, hex, root, suites } from './support.mjs';

const json = async (path) => JSON.parse(await readFile(path, 'utf8'));

for (const { suite, tests } of (await json(root + 'tests/vectors/strict/signatures.json')).groups) {
  test(`${suite}: the strict rule, ${tests.length} vectors`, () => {
    assert.ok(tests.length > 50);
    for (const { id, comment, key, message, signature, valid } of tests) {
      assert.equal(cryptography.verify(suites[suite], bytes(key), bytes(message), bytes(signature)), valid, `${id}: ${comment}`);
    }
  });
}

const folder = (process.env.JIAOZI_VECTORS ?? root + '../shared/vectors') + '/wycheproof/';

test('Wycheproof, Ed25519', { skip: !existsSync(folder) && `no ${folder}; set JIAOZI_VECTORS` }, async () => {
  for (const { publicKey, tests } of (await json(folder + 'ed25519_test.json')).testGroups) {
    for (const { tcId, comment, msg, sig, result } of tests) {
      assert.equal(cryptography.verify(1, bytes(publicKey.pk), bytes(msg), bytes(sig)), result === 'valid', `${tcId}: ${comment}`);
    }
  }
});

test('Wycheproof, X25519: a product of zero is refused', { skip: !existsSync(folder) && `no ${folder}; set JIAOZI_VECTORS` }, async () => {
  let zeros = 0;
  for (const { tests } of (await json(folder + 'x25519_test.json')).testGroups) {
    for (const { tcId, public: point, private: scalar, shared } of tests) {
      if (/^0+$/.test(shared)) {
        assert.throws(() => cryptography.x25519(bytes(scalar), bytes(point)), undefined, `${tcId}`);
        ++zeros;
      } else {
        assert.equal(hex(cryptography.x25519(bytes(scalar), bytes(point))), shared, `${tcId}`);
      }
    }
  }
  assert.ok(zeros > 0);
});

for (const [name, suite] of Object.entries(suites)) {
  test(`${name}: what we sign, we accept; nothing that was changed`, () => {
    for (let seed = 1; seed <= 8; ++seed) {
      const signer = softwareSigner(suite, new Uint8Array(32).fill(seed));
      const message = new TextEncoder().encode(`message ${seed}`);
      const signature = signer.sign(message);
      assert.equal(signature.length, 64);
      assert.ok(cryptography.verify(suite, signer.publicKey, message, signature));
      const other = Uint8Array.from(signature);
      other[seed] ^= 1;
      assert.ok(!cryptography.verify(suite, signer.publicKey, message, other));
      assert.ok(!cryptography.verify(suite, signer.publicKey, message.subarray(1), signature));
    }
  });
}

test('SM3 and SHA-256 of "abc", in parts', () => {
  const parts = [bytes('61'), bytes(''), bytes('6263')];
  assert.equal(hex(cryptography.hash(1, parts)), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(hex(cryptography.hash(2, parts)), '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0');
});
