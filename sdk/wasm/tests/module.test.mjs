// What the module asks for and what it offers: the device profile, as it shows in WebAssembly.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

import { statusNumbers } from '../dist/index.js';
import { device, Issuer, module, root, suites, transfer } from './support.mjs';

// Nothing else: no WASI, no allocator, no way out but these. The same list stands in README.md.
const imports = ['hash', 'verify', 'x25519', 'seal', 'open', 'random', 'sign', 'append', 'read', 'save', 'load', 'anchor_read', 'anchor_advance', 'now'];
const blocks = ['jz_wasm_platform', 'jz_wasm_purse', 'jz_wasm_in', 'jz_wasm_out', 'jz_wasm_struct'];

const bare = Object.fromEntries(imports.map((name) => [name, () => 1]));

test('it imports the callbacks and nothing else', () => {
  assert.deepEqual(WebAssembly.Module.imports(module), imports.map((name) => ({ module: 'jiaozi', name, kind: 'function' })));
});

test('it exports the C interface, its blocks and its memory', async () => {
  const listed = (await readFile(root + 'src/purse/tests/symbols.txt', 'utf8')).trim().split('\n');
  const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
  assert.deepEqual(exported.sort(), ['memory', ...blocks, ...listed].sort());
});

test('its memory is two pages and can never be more', async () => {
  const { exports } = await WebAssembly.instantiate(module, { jiaozi: bare });
  assert.equal(exports.memory.buffer.byteLength, 131_072);
  assert.throws(() => exports.memory.grow(1), RangeError);
});

test('the names of the statuses are those of the module', async () => {
  const { exports } = await WebAssembly.instantiate(module, { jiaozi: bare });
  const memory = new Uint8Array(exports.memory.buffer);
  const named = {};
  for (let number = 0; number < 256; ++number) {
    const at = exports.jz_status_name(number);
    const name = Buffer.from(memory.subarray(at, memory.indexOf(0, at))).toString();
    if (name !== 'unknown') named[name] = number;
  }
  assert.deepEqual(named, { ...statusNumbers });
});

// The stack is the lowest 16 KiB and below it is nothing: an overflow is a trap. It is painted while nobody is in a call;
// what is still painted afterwards was not used.
test('payments, a second hop and gossip use a part of the stack', async () => {
  const issuer = new Issuer(suites.ed25519);
  const ann = await device(issuer, 1);
  const bob = await device(issuer, 2);
  for (const { purse } of [ann, bob]) purse.instance.bytes.fill(0xa5, 0, 16_384);
  for (let i = 0; i < 3; ++i) transfer(ann.purse, bob.purse, 500n);
  transfer(bob.purse, ann.purse, 1_500n);
  bob.purse.receive(ann.purse.receive(bob.purse.gossip()).answer);
  const deepest = Math.max(...[ann, bob].map(({ purse }) => 16_384 - purse.instance.bytes.findIndex((byte) => byte !== 0xa5)));
  console.log(`stack: ${deepest} of 16384 bytes; memory of an instance: 131072 bytes`);
  assert.ok(deepest < 8_192);
});
