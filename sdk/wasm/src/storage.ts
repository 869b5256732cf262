// Where a purse keeps its journal and slots. MemoryStorage forgets; HandleStorage writes files through synchronous
// handles: in a browser those of the origin private file system, in a worker (FileSystemSyncAccessHandle); in Node the
// few lines of the README. What a backup brings back is noticed only if the anchor is kept elsewhere.
import type { PurseAnchor, PurseStorage, StorageArea } from './platform.js';

export class MemoryStorage implements PurseStorage {
  readonly journal: Uint8Array[] = [];
  readonly slots = new Map<string, Uint8Array>();

  append(index: bigint, record: Uint8Array): void {
    if (index > BigInt(this.journal.length)) throw new Error(`record ${index} would leave a gap`);
    this.journal[Number(index)] = record;
  }
  read(index: bigint): Uint8Array | undefined {
    return this.journal[Number(index)];
  }
  save(area: StorageArea, slot: number, content: Uint8Array): void {
    this.slots.set(`${area} ${slot}`, content);
  }
  load(area: StorageArea, slot: number, offset: number, size: number): Uint8Array | undefined {
    const content = this.slots.get(`${area} ${slot}`);
    return content && offset + size <= content.length ? content.slice(offset, offset + size) : undefined;
  }
}

export class MemoryAnchor implements PurseAnchor {
  constructor(readonly id: Uint8Array, private counter = 0) {}
  read(): { id: Uint8Array; counter: number } {
    return { id: this.id, counter: this.counter };
  }
  advance(counter: number): void {
    this.counter = counter;
  }
}

// The part of FileSystemSyncAccessHandle that is used. read and write say how many bytes they did.
export interface SyncHandle {
  read(into: Uint8Array, options: { at: number }): number;
  write(from: Uint8Array, options: { at: number }): number;
  flush(): void;
}

function writeWhole(handle: SyncHandle, at: number, content: Uint8Array): void {
  const written = handle.write(content, { at });
  if (written !== content.length) throw new Error(`${written} of ${content.length} bytes written; is the disk full?`);
  handle.flush();
}

const recordBytes = 576;
const slotBytes = { bundle: 4304, list: 16388, mule: 4304 }; // the content's length in four bytes, then room for the content
const firstList = 16 * slotBytes.bundle;
const firstMule = firstList + 2 * slotBytes.list;

// One file of records, one after the other; one file of slots: 16 for bundles, two for lists,
// 48 for what is carried for others. A slot that power
// tore is noticed by the journal, which has its hash.
export class HandleStorage implements PurseStorage {
  constructor(private readonly journal: SyncHandle, private readonly slots: SyncHandle) {}

  append(index: bigint, record: Uint8Array): void {
    writeWhole(this.journal, Number(index) * recordBytes, record);
  }
  read(index: bigint): Uint8Array | undefined {
    const record = new Uint8Array(recordBytes);
    const size = this.journal.read(record, { at: Number(index) * recordBytes });
    return size === 0 ? undefined : record; // a record that was cut short fails its checksum
  }
  save(area: StorageArea, slot: number, content: Uint8Array): void {
    if (content.length + 4 > slotBytes[area]) throw new Error(`${content.length} bytes do not fit a ${area} slot`);
    const whole = new Uint8Array(4 + content.length);
    new DataView(whole.buffer).setUint32(0, content.length, true);
    whole.set(content, 4);
    writeWhole(this.slots, place(area, slot), whole);
  }
  load(area: StorageArea, slot: number, offset: number, size: number): Uint8Array | undefined {
    const head = new Uint8Array(4);
    if (this.slots.read(head, { at: place(area, slot) }) !== 4) return undefined;
    if (offset + size > new DataView(head.buffer).getUint32(0, true)) return undefined;
    const content = new Uint8Array(size);
    return this.slots.read(content, { at: place(area, slot) + 4 + offset }) === size ? content : undefined;
  }
}

function place(area: StorageArea, slot: number): number {
  const first = { bundle: 0, list: firstList, mule: firstMule };
  return first[area] + slot * slotBytes[area];
}

// Id and counter in a file of 20 bytes, which belongs outside of what is backed up (class A0).
export class HandleAnchor implements PurseAnchor {
  private readonly content = new Uint8Array(20);

  // `newId`: the 16 random bytes of an anchor that is not there yet.
  constructor(private readonly handle: SyncHandle, newId: Uint8Array) {
    if (handle.read(this.content, { at: 0 }) === this.content.length) return;
    this.content.fill(0);
    this.content.set(newId.subarray(0, 16));
    writeWhole(handle, 0, this.content);
  }
  read(): { id: Uint8Array; counter: number } {
    return { id: this.content.slice(0, 16), counter: new DataView(this.content.buffer).getUint32(16, true) };
  }
  advance(counter: number): void {
    new DataView(this.content.buffer).setUint32(16, counter, true);
    writeWhole(this.handle, 0, this.content);
  }
}
