// A purse in files, through the interface of a browser's synchronous handles.
import assert from 'node:assert/strict';
import { closeSync, fsyncSync, mkdtempSync, openSync, readSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

import { HandleAnchor, HandleStorage } from '../dist/index.js';
import { device, Issuer, suites, transfer } from './support.mjs';

function nodeHandle(path) {
  const fd = openSync(path, 'a+');
  closeSync(fd);
  const file = openSync(path, 'r+');
  return {
    read: (into, { at }) => readSync(file, into, 0, into.length, at),
    write: (from, { at }) => writeSync(file, from, 0, from.length, at),
    flush: () => fsyncSync(file),
    close: () => closeSync(file),
  };
}

test('a purse in files is opened again; a torn record is discarded, an old copy is noticed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jiaozi-purse-'));
  const paths = ['journal', 'slots', 'anchor'].map((name) => join(folder, name));
  const open = () => paths.map(nodeHandle);
  const parts = ([journal, slots, anchor]) => ({
    storage: new HandleStorage(journal, slots),
    anchor: new HandleAnchor(anchor, new Uint8Array(16).fill(7)),
  });
  const issuer = new Issuer(suites.ed25519);
  let handles = open();
  const ann = await device(issuer, 1);
  const bob = await device(issuer, 2, parts(handles));
  transfer(ann.purse, bob.purse, 1_250n);
  const before = bob.purse.info();
  const restart = async () => {
    handles.forEach((handle) => handle.close());
    handles = open();
    Object.assign(bob.platform, parts(handles));
    return bob.reopen();
  };
  assert.deepEqual((await restart()).info(), before);
  assert.ok((await restart()).deposit(0).length > 300); // the bundle, from its slot

  // What it carries for somebody else is in the same file, and is there after a restart.
  const load = (await restart()).mule(0, new Uint8Array(32).fill(9));
  assert.equal((await restart()).receive(load).status, 'ok');
  assert.deepEqual((await restart()).carried(0), load);

  // Power went while the next record was written: half of it is there.
  (await restart()).request(5n);
  truncateSync(paths[0], 576 * 5 + 100);
  const torn = (await restart()).info();
  assert.equal(torn.requestsOpen, before.requestsOpen);
  assert.equal(torn.state, 'active');

  // An older journal than the counter knows.
  truncateSync(paths[0], 576 * 3);
  assert.equal((await restart()).info().state, 'suspect');
  handles.forEach((handle) => handle.close());
  rmSync(folder, { recursive: true });
});
