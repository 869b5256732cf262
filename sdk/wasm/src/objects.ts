// Reads what purses and issuers sign (docs/protocol/offline.md, sections 2 and 3), to show it and to find what is to be
// handed in. Form is checked, signatures are not: what must be believed goes through Purse. Throws ObjectError.
import { cryptography } from './cryptography.js';
import type { Suite } from './platform.js';

export class ObjectError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ObjectError';
  }
}

// The subset of CBOR that occurs; null stands for the empty map of a header.
type Item = bigint | string | Uint8Array | null | readonly Item[];

export interface SignedObject {
  type: number; // 1 LC, 2 REQ, 3 NOTE, 4 RCPT, 5 VOID, 6 HEAD, 7 SACK
  suite: Suite;
  id: Uint8Array;
  bytes: Uint8Array;
  elements: readonly Item[];
}

export interface Certificate {
  id: Uint8Array;
  issuer: Uint8Array;
  serial: bigint;
  purse: number;
  suite: Suite;
  assurance: number;
  asset: string;
  amount: bigint;
  notBefore: number; // seconds since 1970, as all times here
  expires: number;
  settleBy: number;
  perPayment: bigint;
  directed: number;
}
export interface Source {
  id: Uint8Array;
  offset: bigint;
  amount: bigint;
}
export interface Note {
  id: Uint8Array;
  payer: number;
  seq: number;
  payee: number;
  sources: readonly Source[];
  amount: bigint; // the sum of its sources
  time: number;
  hop: number;
}
export interface ListHead {
  issuer: Uint8Array;
  version: number;
  time: number;
  enrolled: number;
  revoked: number;
}
export interface ForkProof {
  notes: readonly [Note, Note];
  certificate: Certificate;
}

// Who may sign what for the issuer (docs/settlement.md, Issuer keys and the root); its signatures are not looked at here.
export interface RootDocument {
  version: number;
  signers: number;
  threshold: number;
  keys: readonly { suite: Suite; key: Uint8Array; notBefore: number; notAfter: number; escrowCap: bigint }[];
  revoked: readonly Uint8Array[];
}

const largest = 64 * 1024;
const deepest = 6;
const exact64 = (1n << 64n) - 1n;
const suites = new Map<string, Suite>([['a10127', 1], ['a10126', 2], ['a1013a00010040', 3]]);

class Reader {
  at = 0;
  constructor(private readonly bytes: Uint8Array) {
    if (bytes.length > largest) throw new ObjectError(`${bytes.length} bytes; at most ${largest} are read`);
  }
  get done(): boolean {
    return this.at === this.bytes.length;
  }
  since(start: number): Uint8Array {
    return this.bytes.slice(start, this.at);
  }

  item(depth = 0): Item {
    const first = this.take(1)[0] as number;
    const major = first >> 5;
    const value = this.argument(first & 31);
    if (major === 0) return value;
    if (major === 2) return this.take(value).slice();
    if (major === 3) return new TextDecoder('utf-8', { fatal: true }).decode(this.take(value));
    if (major === 4 && depth < deepest) {
      if (value > BigInt(this.bytes.length)) throw this.wrong();
      return Array.from({ length: Number(value) }, () => this.item(depth + 1));
    }
    if (major === 5 && value === 0n) return null;
    throw this.wrong();
  }

  // Shortest form only.
  private argument(short: number): bigint {
    if (short < 24) return BigInt(short);
    if (short > 27) throw this.wrong();
    const size = 1 << (short - 24);
    const value = this.take(size).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const least = size === 1 ? 24n : 1n << BigInt(4 * size);
    if (value < least || value > exact64) throw this.wrong();
    return value;
  }
  private take(size: number | bigint): Uint8Array {
    if (BigInt(size) > BigInt(this.bytes.length - this.at)) throw this.wrong();
    this.at += Number(size);
    return this.bytes.subarray(this.at - Number(size), this.at);
  }
  private wrong(): ObjectError {
    return new ObjectError(`not deterministic CBOR of this protocol, at byte ${this.at}`);
  }
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function bytesIn(item: Item | undefined): Uint8Array {
  if (!(item instanceof Uint8Array)) throw new ObjectError('a byte string is missing');
  return item;
}
function textIn(item: Item | undefined): string {
  if (typeof item !== 'string') throw new ObjectError('a text is missing');
  return item;
}
function uintIn(item: Item | undefined): bigint {
  if (typeof item !== 'bigint') throw new ObjectError('a number is missing');
  return item;
}
function amountIn(item: Item | undefined): bigint {
  if (typeof item !== 'bigint' || item >> 63n !== 0n) throw new ObjectError('an amount below 2^63 is missing');
  return item;
}
function numberIn(item: Item | undefined, limit = 0xffffffff): number {
  if (typeof item !== 'bigint' || item > BigInt(limit)) throw new ObjectError(`a number up to ${limit} is missing`);
  return Number(item);
}
function listIn(item: Item | undefined): readonly Item[] {
  if (!Array.isArray(item)) throw new ObjectError('an array is missing');
  return item as readonly Item[];
}

function signedObject(item: Item | undefined, bytes: Uint8Array): SignedObject {
  const parts = listIn(item);
  if (parts.length !== 4 || parts[1] !== null || bytesIn(parts[3]).length !== 64) throw new ObjectError('not a signed object');
  const header = bytesIn(parts[0]);
  const payload = bytesIn(parts[2]);
  const suite = suites.get(hexOf(header));
  if (suite === undefined) throw new ObjectError('signed in a suite that is not one of this protocol');
  const inside = new Reader(payload);
  const elements = listIn(inside.item());
  if (!inside.done) throw new ObjectError('something follows the payload');
  return { type: numberIn(elements[0], 255), suite, id: cryptography.hash(suite === 3 ? 2 : 1, [header, payload]), bytes, elements };
}

// A CBOR sequence of signed objects: a deposit, or one alone.
export function readObjects(bytes: Uint8Array): SignedObject[] {
  const reader = new Reader(bytes);
  const objects: SignedObject[] = [];
  while (!reader.done) {
    const start = reader.at;
    const item = reader.item();
    objects.push(signedObject(item, reader.since(start)));
  }
  return objects;
}
export function readObject(bytes: Uint8Array): SignedObject {
  const [object, ...more] = readObjects(bytes);
  if (object === undefined || more.length > 0) throw new ObjectError('not one signed object');
  return object;
}

function elementsOf(object: SignedObject, type: number, count: number): readonly Item[] {
  if (object.type !== type || object.elements.length !== count) throw new ObjectError(`not an object of type ${type}`);
  return object.elements;
}

export function certificateOf(object: SignedObject): Certificate {
  const e = elementsOf(object, 1, 19);
  return {
    id: object.id, issuer: bytesIn(e[1]), serial: amountIn(e[2]), purse: numberIn(e[3]), suite: object.suite, assurance: numberIn(e[6], 3),
    asset: textIn(e[7]), amount: amountIn(e[8]), notBefore: numberIn(e[9]), expires: numberIn(e[10]), settleBy: numberIn(e[11]),
    perPayment: amountIn(e[12]), directed: numberIn(e[18]),
  };
}
export function noteOf(object: SignedObject): Note {
  const e = elementsOf(object, 3, 11);
  const sources = listIn(e[6]).map((row): Source => {
    const [id, offset, amount] = listIn(row);
    return { id: bytesIn(id), offset: amountIn(offset), amount: amountIn(amount) };
  });
  const amount = sources.reduce((sum, source) => sum + source.amount, 0n);
  return { id: object.id, payer: numberIn(e[1]), seq: numberIn(e[2]), payee: numberIn(e[4]), sources, amount, time: numberIn(e[7]), hop: numberIn(e[10], 5) };
}
export function listHeadOf(object: SignedObject): ListHead {
  const e = elementsOf(object, 6, 7);
  return { issuer: bytesIn(e[1]), version: numberIn(e[2]), time: numberIn(e[3]), enrolled: numberIn(e[4]), revoked: numberIn(e[5]) };
}
// The note that a receipt names.
export function receiptOf(object: SignedObject): { payee: number; seq: number; note: Uint8Array; amount: bigint; time: number } {
  const e = elementsOf(object, 4, 8);
  return { payee: numberIn(e[1]), seq: numberIn(e[2]), note: bytesIn(e[4]), amount: amountIn(e[5]), time: numberIn(e[6]) };
}
export function voidOf(object: SignedObject): { payee: number; seq: number } {
  const e = elementsOf(object, 5, 5);
  return { payee: numberIn(e[1]), seq: numberIn(e[2]) };
}
export function syncOf(object: SignedObject): { sync: number; time: number; through: number } {
  const e = elementsOf(object, 7, 9);
  return { sync: numberIn(e[3]), time: numberIn(e[4]), through: numberIn(e[5]) };
}

// What a fork proof says, to be shown; Purse.verifyProof tells whether it is true.
export function readForkProof(bytes: Uint8Array): ForkProof {
  const reader = new Reader(bytes);
  const head = reader.item();
  if (!reader.done) throw new ObjectError('something follows the proof');
  const [type, first, second, certificate, ...more] = listIn(head);
  if (type !== 8n || more.length > 0) throw new ObjectError('not a fork proof');
  const none = new Uint8Array();
  return {
    notes: [noteOf(signedObject(first, none)), noteOf(signedObject(second, none))],
    certificate: certificateOf(signedObject(certificate, none)),
  };
}

export function readRoot(bytes: Uint8Array): RootDocument {
  const [type, version, signers, threshold, keys, revoked, ...more] = listIn(new Reader(bytes).item()); // signatures follow
  if (type !== 9n || more.length > 0) throw new ObjectError('not a root');
  return {
    version: numberIn(version), signers: listIn(signers).length, threshold: numberIn(threshold), revoked: listIn(revoked).map(bytesIn),
    keys: listIn(keys).map((row) => {
      const [suite, key, notBefore, notAfter, cap] = listIn(row);
      const number = numberIn(suite, 3);
      if (number === 0) throw new ObjectError('a suite is missing');
      return { suite: number as Suite, key: bytesIn(key), notBefore: numberIn(notBefore), notAfter: numberIn(notAfter), escrowCap: uintIn(cap) };
    }),
  };
}
