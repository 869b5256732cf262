// What a purse hands to the ledger, read from its journal. The same rules as the host program's (src/terminal,
// evidence.hpp): deposits of what was received; its own notes that the ledger has not acknowledged, with their receipts
// where there are any, so that a payee that lost its device is paid; VOIDs given and got.
import { type Certificate, certificateOf, hexOf, type Note, noteOf, readObject, readObjects, receiptOf, type SignedObject, syncOf, voidOf } from './objects.js';
import type { Purse } from './purse.js';

// Kinds of journal records (docs/protocol/offline.md, 10.1).
const kinds = { lot: 2, note: 4, done: 5, voidHeld: 6, credit: 7, voidGiven: 8, sync: 10 };

export interface SyncState {
  lastSync: number; // number of the newest acknowledgement, 0 for none
  lastSyncTime: number; // seconds since 1970, 0 for none
  through: number; // everything said up to here is settled
}

// A payment as this purse knows it. `unknown`: sent, and nobody answered; `done`: the receipt is here; `settled`: the
// ledger has it. What was received is `done` until the ledger has it.
export interface JournalPayment {
  note: string; // id, hexadecimal
  direction: 'paid' | 'received';
  peer: number;
  amount: bigint;
  time: number; // by the clock of whoever signed, seconds since 1970
  state: 'unknown' | 'done' | 'voided' | 'settled';
}

export interface Journal {
  sync: SyncState;
  lots: readonly Certificate[];
  payments: readonly JournalPayment[]; // newest first
  items: readonly Uint8Array[]; // for POST /v1/purses/deposits
}

interface Held {
  note: string;
  deposit: Uint8Array;
  bundle: readonly SignedObject[];
}

interface Records {
  sync: SyncState;
  lots: SignedObject[];
  notes: SignedObject[];
  receipts: SignedObject[]; // of peers, for our notes
  credits: SignedObject[]; // ours
  voids: SignedObject[];
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function readRecords(purse: Purse): Records {
  const records: Records = { sync: { lastSync: 0, lastSyncTime: 0, through: 0 }, lots: [], notes: [], receipts: [], credits: [], voids: [] };
  for (let i = 0; ; ++i) {
    const record = purse.evidence(i);
    if (record === undefined) return records;
    if (record.kind === 0) continue;
    const object = readObject(record.object);
    if (record.kind === kinds.lot) records.lots.push(object);
    if (record.kind === kinds.note) records.notes.push(object);
    if (record.kind === kinds.done) records.receipts.push(object);
    if (record.kind === kinds.credit) records.credits.push(object);
    if (record.kind === kinds.voidHeld || record.kind === kinds.voidGiven) records.voids.push(object);
    if (record.kind !== kinds.sync) continue;
    const { sync, time, through } = syncOf(object);
    records.sync = { lastSync: sync, lastSyncTime: time, through };
  }
}

function readHeld(purse: Purse): Held[] {
  const held: Held[] = [];
  for (let i = 0; ; ++i) {
    const deposit = purse.deposit(i);
    if (deposit === undefined) return held;
    const bundle = readObjects(deposit).filter((object) => object.type !== 4); // without the receipt
    held.push({ note: bundle[0] === undefined ? '' : hexOf(bundle[0].id), deposit, bundle });
  }
}

// ?RCPT, the note, and what it descends from as far as this purse still has it.
function ownNote(records: Records, held: readonly Held[], object: SignedObject, note: Note): Uint8Array {
  const receipt = records.receipts.find((one) => hexOf(receiptOf(one).note) === hexOf(note.id));
  const objects = new Map<string, Uint8Array>();
  const add = (one: SignedObject) => objects.set(hexOf(one.id), one.bytes);
  let ownCertificate = false;
  for (const source of note.sources.map(({ id }) => hexOf(id))) {
    for (const lot of records.lots.filter((one) => hexOf(one.id) === source)) {
      add(lot);
      ownCertificate = true;
    }
    for (const one of held.filter((each) => each.note === source)) one.bundle.forEach(add);
  }
  const last = records.lots.at(-1);
  if (!ownCertificate && last !== undefined) add(last);
  return concat([...(receipt ? [receipt.bytes] : []), object.bytes, ...objects.values()]);
}

function paidBy(records: Records): JournalPayment[] {
  const receipts = new Set(records.receipts.map((one) => hexOf(receiptOf(one).note)));
  const voided = new Set(records.voids.map((one) => hexOf(one.elements[4] as Uint8Array))); // by request
  return records.notes.map((object) => {
    const note = noteOf(object);
    const request = hexOf(object.elements[5] as Uint8Array);
    const state = voided.has(request) ? 'voided' : note.seq <= records.sync.through ? 'settled' : receipts.has(hexOf(note.id)) ? 'done' : 'unknown';
    return { note: hexOf(note.id), direction: 'paid', peer: note.payee, amount: note.amount, time: note.time, state };
  });
}

// A receipt does not say who paid; the bundle does, as long as it is kept.
function receivedBy(records: Records, held: readonly Held[]): JournalPayment[] {
  const payers = new Map(held.flatMap(({ note, bundle }) => (bundle[0] === undefined ? [] : [[note, noteOf(bundle[0]).payer] as const])));
  return records.credits.map((object) => {
    const receipt = receiptOf(object);
    const note = hexOf(receipt.note);
    const state = receipt.seq <= records.sync.through ? 'settled' : 'done';
    return { note, direction: 'received', peer: payers.get(note) ?? 0, amount: receipt.amount, time: receipt.time, state };
  });
}

export function readJournal(purse: Purse): Journal {
  const records = readRecords(purse);
  const held = readHeld(purse);
  const self = purse.info().purse;
  const items = held.map(({ deposit }) => deposit);
  for (const object of records.notes) {
    const note = noteOf(object);
    if (note.seq > records.sync.through) items.push(ownNote(records, held, object, note));
  }
  for (const object of records.voids) {
    const { payee, seq } = voidOf(object);
    if (payee !== self || seq > records.sync.through) items.push(object.bytes);
  }
  const payments = [...paidBy(records), ...receivedBy(records, held)].sort((a, b) => b.time - a.time);
  return { sync: records.sync, lots: records.lots.map(certificateOf), payments, items };
}
