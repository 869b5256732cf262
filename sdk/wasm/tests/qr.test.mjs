// Parts of messages in QR codes: the texts are those of src/carriers/tests/qr_test.cpp.
import assert from 'node:assert/strict';
import test from 'node:test';

import { QrCollector, splitForQr } from '../dist/index.js';

const messageOf = (size) => Uint8Array.from({ length: size }, (_, i) => (i * 37 + (i >> 8)) & 255);
const abc = new TextEncoder().encode('abc');

test('as the specification writes them', () => {
  assert.deepEqual(splitForQr(abc), ['JZP1/BA7816BF/1/1/MFRGG']);
  assert.equal(splitForQr(messageOf(200)).length, 1);
  assert.equal(splitForQr(messageOf(201)).length, 2);
  assert.equal(splitForQr(messageOf(4608)).length, 24);
  assert.throws(() => splitForQr(new Uint8Array()), RangeError);
  assert.throws(() => splitForQr(messageOf(4609)), RangeError);
});

test('in any order, as often as they come, and two messages at once', () => {
  for (const size of [1, 2, 3, 4, 5, 200, 315, 440, 4608]) {
    const message = messageOf(size);
    const collector = new QrCollector();
    const parts = splitForQr(message);
    const other = splitForQr(messageOf(300));
    const shown = [...parts.slice(1).reverse(), other[1], ...parts.slice(1), parts[0]];
    const readings = shown.map((part) => collector.add(part));
    assert.deepEqual(readings.at(-1), { outcome: 'whole', message });
    assert.ok(readings.slice(0, -1).every(({ outcome }) => outcome === 'more'));
  }
});

test('what is no part is foreign', () => {
  for (const text of ['', 'https://example.org', 'JZP2/BA7816BF/1/1/MFRGG', 'JZP1/BA7816BF/1/1', 'JZP1/ba7816bf/1/1/MFRGG', 'JZP1/BA7816B/1/1/MFRGG',
    'JZP1/BA7816BF/0/1/MFRGG', 'JZP1/BA7816BF/2/1/MFRGG', 'JZP1/BA7816BF/01/1/MFRGG', 'JZP1/BA7816BF/1/25/MFRGG', 'JZP1/BA7816BF/+1/1/MFRGG',
    'JZP1/BA7816BF//1/MFRGG', 'JZP1/BA7816BF/1/1/MFRGG=', 'JZP1/BA7816BF/1/1/mfrgg', 'JZP1/BA7816BF/1/1/', 'JZP1/BA7816BF/1/1/MFRGG/',
    'JZP1/BA7816BF/1/2/MFRGG', 'JZP1/BA7816BF/1/1/MFRGH', 'JZP1/BA7816BF/1/1/MFRGGA']) {
    assert.deepEqual(new QrCollector().add(text), { outcome: 'foreign' }, text);
  }
  assert.deepEqual(new QrCollector().add('JZP1/BA7816BE/1/1/MFRGG'), { outcome: 'contradiction' });
});

test('a forged part spoils one reading only', () => {
  const message = messageOf(300);
  const parts = splitForQr(message);
  const forged = parts[0].replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
  const collector = new QrCollector();
  collector.add(forged);
  assert.equal(collector.add(parts[0]).outcome, 'contradiction');
  collector.add(parts[0]);
  assert.deepEqual(collector.add(parts[1]), { outcome: 'whole', message });
});
