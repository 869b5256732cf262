// A purse in WebAssembly and a purse of the host program (tests/peer.cpp, with OpenSSL and libsodium) pay each other.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import test from 'node:test';

import { cryptography, MemoryAnchor, MemoryStorage, Purse, softwareSigner } from '../dist/index.js';
import { bytes, hex, module, suites, today } from './support.mjs';

const program = process.env.JIAOZI_PURSE_PEER;

async function peer(suite) {
  const child = spawn(program, [suite], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (...words) => {
    child.stdin.write(words.join(' ') + '\n');
    const { value } = await lines.next();
    return value.split(' ');
  };
  return { ask, end: () => child.stdin.end() };
}

for (const [name, suite] of Object.entries(suites)) {
  test(`${name}: WebAssembly and the host program pay each other`, { skip: !program && 'JIAOZI_PURSE_PEER is not set' }, async () => {
    const { ask, end } = await peer(suite);
    const signer = softwareSigner(suite, new Uint8Array(32).fill(1));
    const anchor = new MemoryAnchor(new Uint8Array(16).fill(1));
    const purse = await Purse.create(module, { cryptography, signer, storage: new MemoryStorage(), anchor, now: () => today }, { purse: 1 });
    const [issuer] = await ask('issuer');
    purse.trust([{ suite, publicKey: bytes(issuer) }]);
    const [certificate] = await ask('certificate', 1, hex(signer.publicKey));
    purse.load(bytes(certificate));
    purse.installList(...(await ask('list')).map(bytes));

    // It pays the host,
    const [request] = await ask('request', 1_250);
    const [credited, receipt] = await ask('receive', hex(purse.pay(bytes(request))));
    assert.equal(credited, 'ok');
    assert.deepEqual(purse.receive(bytes(receipt)), { status: 'ok' });
    assert.equal(purse.info().spendable, 98_750n);
    assert.deepEqual(await ask('balance'), ['101250']);

    // and the host pays it back, with what it received and some of its own.
    const [paid, pay] = await ask('pay', hex(purse.request(2_000n).message));
    assert.equal(paid, 'ok');
    const { status, answer } = purse.receive(bytes(pay));
    assert.equal(status, 'ok');
    assert.deepEqual(await ask('receive', hex(answer)), ['ok', '-']);
    assert.equal(purse.info().spendable, 100_750n);
    assert.deepEqual(await ask('balance'), ['99250']);
    end();
  });
}
