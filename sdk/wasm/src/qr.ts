// Messages in QR codes (docs/protocol/offline.md, section 12): parts of text, shown one after the other or side by side,
// read in any order and as often as one likes: JZP1/<tag>/<i>/<n>/<data>. What a camera reads may be anything.
import { cryptography } from './cryptography.js';
import { hexOf, sameBytes } from './objects.js';

const partBytes = 200;
const mostParts = 24;
const mostBytes = 4608;
const mostMessages = 4;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const form = /^JZP1\/([0-9A-F]{8})\/([1-9][0-9]?)\/([1-9][0-9]?)\/([A-Z2-7]{2,320})$/;

function tagOf(message: Uint8Array): string {
  return hexOf(cryptography.hash(1, [message]).subarray(0, 4)).toUpperCase();
}

function toBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31];
    held &= 31;
  }
  return bits === 0 ? text : text + alphabet[(held << (5 - bits)) & 31];
}
// Canonical: no surplus character and no bit that says nothing.
function fromBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of text) {
    held = ((held << 5) | alphabet.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >> bits;
  }
  return toBase32(bytes) === text ? bytes : undefined;
}

export function splitForQr(message: Uint8Array): string[] {
  if (message.length === 0 || message.length > mostBytes) throw new RangeError(`a message has 1 to ${mostBytes} bytes`);
  const count = Math.ceil(message.length / partBytes);
  const tag = tagOf(message);
  return Array.from({ length: count }, (_, i) => `JZP1/${tag}/${i + 1}/${count}/${toBase32(message.subarray(i * partBytes, (i + 1) * partBytes))}`);
}

interface Gathering {
  parts: (Uint8Array | undefined)[];
}

export type QrReading =
  | { outcome: 'foreign' } // no part of a purse's message
  | { outcome: 'contradiction' } // show all parts again: what was gathered is forgotten
  | { outcome: 'more'; seen: number; wanted: number }
  | { outcome: 'whole'; message: Uint8Array };

// Gathers parts of a few messages at a time; the message begun first gives way.
export class QrCollector {
  private readonly messages = new Map<string, Gathering>();

  add(text: string): QrReading {
    const [, tag, index, count, data] = form.exec(text) ?? [];
    const i = Number(index);
    const n = Number(count);
    const content = data === undefined ? undefined : fromBase32(data);
    const fits = content !== undefined && i <= n && n <= mostParts && content.length <= partBytes && (i === n || content.length === partBytes);
    if (!fits || content.length === 0) return { outcome: 'foreign' };
    const key = `${tag}/${n}`;
    const gathering = this.gatheringOf(key, n);
    const known = gathering.parts[i - 1];
    if (known !== undefined && !sameBytes(known, content)) {
      this.messages.delete(key);
      return { outcome: 'contradiction' };
    }
    gathering.parts[i - 1] = content;
    const parts = gathering.parts.filter((part) => part !== undefined);
    if (parts.length < n) return { outcome: 'more', seen: parts.length, wanted: n };
    this.messages.delete(key);
    const message = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => (message.set(part, at), at + part.length), 0);
    return tagOf(message) === tag && message.length <= mostBytes ? { outcome: 'whole', message } : { outcome: 'contradiction' };
  }

  private gatheringOf(key: string, count: number): Gathering {
    const known = this.messages.get(key);
    if (known !== undefined) return known;
    const oldest = this.messages.keys().next();
    if (this.messages.size === mostMessages && !oldest.done) this.messages.delete(oldest.value);
    const made = { parts: new Array<Uint8Array | undefined>(count).fill(undefined) };
    this.messages.set(key, made);
    return made;
  }
}
