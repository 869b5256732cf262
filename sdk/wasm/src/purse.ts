// The purse: jiaozi_purse.h, call by call. Amounts are bigint, in minor units of the asset. What a purse refuses is
// thrown as PurseError, whose `status` is of the protocol's list; only `receive` returns it, because a refusal has an
// answer too (what fails on this device, 60 and above, is thrown there as well). A number never holds an amount.
import { cryptography } from './cryptography.js';
import { Instance } from './module.js';
import type { Platform, Suite } from './platform.js';
import { PurseError, type Status, statusNumbers, statusOf } from './status.js';
import { MemoryAnchor, MemoryStorage } from './storage.js';

export interface IssuerKey {
  suite: Suite;
  publicKey: Uint8Array;
  revoked?: boolean; // certificates by this key are refused
}

export type PurseState = 'active' | 'suspect' | 'frozen' | 'lost';

export interface PurseInfo {
  state: PurseState;
  purse: number;
  seq: number;
  tLow: number; // seconds since 1970
  listVersion: number; // 0: none
  spendable: bigint; // now, without what is locked
  unknown: bigint; // sent, and what became of it is not known
  voidHeld: bigint; // voided by the payee, locked until a sync
  received: bigint; // received and not settled, spent on or not
  paymentsUnknown: number;
  requestsOpen: number;
  notesHeld: number;
  wrongPins: number;
}

// What a purse has heard from others, and what its owner should bring to the issuer's notice at the next sync.
export interface TrustInfo {
  listVersion: number; // 0: none
  listTime: number; // seconds since 1970
  proofs: number; // fork proofs that can be handed on
  contradictions: number; // digests that contradict a note this purse holds
  carried: number; // deposits of others
  twoLists: boolean; // the issuer has signed two lists with one version
}

// What a request asks for, verified, to be shown before it is paid.
export interface Offer {
  payee: number;
  amount: bigint;
  asset: string;
  invoice: Uint8Array;
  cvmRequired: boolean;
}

export interface Received {
  status: Status;
  answer?: Uint8Array; // to be sent, if there is one; also when the status is a refusal
}

const messageBytes = 4608;
const inputBytes = 16384 + 1024;
const maxKeys = 4;
const highestAmount = (1n << 63n) - 1n;
const states: readonly PurseState[] = ['active', 'suspect', 'frozen', 'lost'];

// Places in the module's block for small structures. The first one is a struct or the issuer's keys.
const keyBytes = 44;
const place = { struct: 0, view: 176, secondView: 184, size: 192, word: 196, nonce: 200, invoice: 216 };

export class Purse {
  private constructor(private readonly instance: Instance) {}

  // A new purse on empty storage (bad_argument if there is a journal already). assurance: 0 to 3, A0 to A3.
  static async create(module: WebAssembly.Module, platform: Platform, identity: { purse: number; assurance?: number }): Promise<Purse> {
    const made = new Purse(await Instance.make(module, platform));
    const { signer } = platform;
    if (signer.publicKey.length > 33) throw new PurseError('bad_argument', 'create');
    const { view } = made.instance;
    const at = made.at('struct');
    made.instance.bytes.fill(0, at, at + 48);
    view.setUint32(at, identity.purse, true);
    view.setInt32(at + 4, signer.suite, true);
    view.setInt32(at + 8, identity.assurance ?? 0, true);
    view.setUint8(at + 12, signer.publicKey.length);
    made.instance.write(at + 13, signer.publicKey);
    made.check('create', made.instance.call('jz_purse_create', made.instance.purse, made.instance.platform, at));
    return made;
  }

  // Checks fork proofs and nothing else: it has no key, no storage and no money.
  static async verifier(module: WebAssembly.Module): Promise<Pick<Purse, 'verifyProof'>> {
    const sign = () => { throw new Error('a verifier signs nothing'); };
    const signer = { suite: 1, publicKey: new Uint8Array(32), sign } as const;
    const platform = { cryptography, signer, storage: new MemoryStorage(), anchor: new MemoryAnchor(new Uint8Array(16)), now: () => 0 };
    return new Purse(await Instance.make(module, platform));
  }

  // Reads the journal; nothing_here without one. A purse may be SUSPECT afterwards: ask info().
  static async open(module: WebAssembly.Module, platform: Platform): Promise<Purse> {
    const made = new Purse(await Instance.make(module, platform));
    made.check('open', made.instance.call('jz_purse_open', made.instance.purse, made.instance.platform));
    return made;
  }

  // Wipes the purse's memory. No other call may follow.
  close(): void {
    this.instance.call('jz_purse_close', this.instance.purse);
  }

  // The issuer's keys, at most 4, after each create and open; the caller has verified where they come from.
  trust(keys: readonly IssuerKey[]): void {
    this.simple('trust', this.putKeys('trust', keys), keys.length);
  }

  info(): PurseInfo {
    this.simple('info', this.at('struct'));
    const { view } = this.instance;
    const u32 = (offset: number) => view.getUint32(this.at('struct') + offset, true);
    const u64 = (offset: number) => view.getBigUint64(this.at('struct') + offset, true);
    const state = states[u32(0) - 1];
    if (state === undefined) throw new PurseError('bad_argument', 'info');
    return {
      state, purse: u32(4), seq: u32(8), tLow: u32(12), listVersion: u32(16),
      spendable: u64(24), unknown: u64(32), voidHeld: u64(40), received: u64(48),
      paymentsUnknown: u32(56), requestsOpen: u32(60), notesHeld: u32(64), wrongPins: u32(68),
    };
  }

  load(certificate: Uint8Array): void {
    this.simple('load', this.input('load', certificate));
  }
  sync(acknowledgement: Uint8Array): void {
    this.simple('sync', this.input('sync', acknowledgement));
  }
  installList(head: Uint8Array, body: Uint8Array): void {
    const first = this.input('install_list', head);
    this.simple('install_list', first, this.input('install_list', body, 'secondView', head.length));
  }
  updateList(headAndDelta: Uint8Array): void {
    this.simple('update_list', this.input('update_list', headAndDelta));
  }
  // Deposit number `index` (0 ..): receipt and bundle. undefined after the last.
  deposit(index: number): Uint8Array | undefined {
    return this.writingIfThere('deposit', index);
  }
  // Journal record `index` as evidence; kind 0 for records that hold none. undefined after the last.
  evidence(index: number): { kind: number; object: Uint8Array } | undefined {
    const object = this.writingIfThere('evidence', BigInt(index), this.at('word'));
    return object && { kind: this.instance.u32(this.at('word')), object };
  }
  declareLost(): void {
    this.simple('declare_lost');
  }
  // What the key signed and the journal lacks, from a key that remembers its last; outdated when it is there.
  adopt(object: Uint8Array): void {
    this.simple('adopt', this.input('adopt', object));
  }

  // The payee.
  request(amount: bigint, options: { invoice?: Uint8Array; withCertificate?: boolean } = {}): { nonce: Uint8Array; message: Uint8Array } {
    if (amount < 0n || amount > highestAmount) throw new PurseError('bad_argument', 'request');
    const invoice = new Uint8Array(8);
    invoice.set((options.invoice ?? invoice).subarray(0, 8));
    this.instance.write(this.at('invoice'), invoice);
    const message = this.writing('request', amount, this.at('invoice'), options.withCertificate === false ? 0 : 1, this.at('nonce'));
    return { nonce: this.instance.read(this.at('nonce'), 16), message };
  }
  void(nonce: Uint8Array): Uint8Array {
    if (nonce.length !== 16) throw new PurseError('bad_argument', 'void');
    this.instance.write(this.at('nonce'), nonce);
    return this.writing('void', this.at('nonce'));
  }

  // The payer. look changes nothing; pay answers a REQUEST with PAY. cvm: the holder was verified for this payment.
  look(request: Uint8Array): Offer {
    this.simple('look', this.input('look', request), this.at('struct'));
    const { view } = this.instance;
    const at = this.at('struct');
    return {
      payee: view.getUint32(at, true), amount: view.getBigUint64(at + 8, true), asset: this.instance.text(at + 16),
      invoice: this.instance.read(at + 28, 8), cvmRequired: view.getInt32(at + 36, true) !== 0,
    };
  }
  pay(request: Uint8Array, options: { cvm?: boolean } = {}): Uint8Array {
    return this.writing('pay', this.input('pay', request), options.cvm ? 1 : 0);
  }
  // RESUME, the PAY again, or CANCEL for the payment of unknown outcome number `index` (0 ..); undefined after the last.
  resume(index = 0): Uint8Array | undefined {
    return this.writingIfThere('resume', index);
  }
  payAgain(index = 0): Uint8Array | undefined {
    return this.writingIfThere('pay_again', index);
  }
  cancel(index = 0): Uint8Array | undefined {
    return this.writingIfThere('cancel', index);
  }
  wrongPin(): void {
    this.simple('wrong_pin');
  }

  // Either: takes PAY, RECEIPT, VOIDED, RESUME, CANCEL, GOSSIP, MULE and STATUS.
  receive(message: Uint8Array): Received {
    const [status, answer] = this.written('receive', this.input('receive', message));
    if (statusNumbers[status] >= 60) throw new PurseError(status, 'receive', this.instance.lastThrown);
    return answer.length > 0 ? { status, answer } : { status };
  }

  // Trust data that travels (spec 9). gossip: for the payee of the last payment, after its receipt; the answer goes to
  // receive. contradiction and alarm are for the ledger. undefined when there is none.
  gossip(): Uint8Array | undefined {
    return this.writingIfThere('gossip');
  }
  contradiction(index: number): Uint8Array | undefined {
    return this.writingIfThere('contradiction', index);
  }
  alarm(): Uint8Array | undefined {
    return this.writingIfThere('alarm');
  }
  trustInfo(): TrustInfo {
    this.simple('trust_info', this.at('struct'));
    const u32 = (offset: number) => this.instance.u32(this.at('struct') + offset);
    return { listVersion: u32(0), listTime: u32(4), proofs: u32(8), contradictions: u32(12), carried: u32(16), twoLists: u32(20) !== 0 };
  }
  // mule: deposit `index` (0 ..) as a MULE message that anybody may carry. carried: message `index` of what this purse
  // carries for others; unload: all of it was handed over.
  mule(index: number, depositKey: Uint8Array): Uint8Array | undefined {
    if (depositKey.length !== 32) throw new PurseError('bad_argument', 'mule');
    this.instance.write(this.at('struct'), depositKey);
    return this.writingIfThere('mule', index, this.at('struct'));
  }
  carried(index: number): Uint8Array | undefined {
    return this.writingIfThere('carried', index);
  }
  unload(): void {
    this.simple('unload');
  }

  // Fork proofs: what this purse has found, and one from elsewhere.
  lastProof(): Uint8Array | undefined {
    return this.writingIfThere('last_proof');
  }
  learnProof(proof: Uint8Array): void {
    this.simple('learn_proof', this.input('learn_proof', proof));
  }
  // Needs the issuer's keys and nothing of this purse: who signed both notes.
  verifyProof(keys: readonly IssuerKey[], proof: Uint8Array): number {
    const at = this.putKeys('verify_proof', keys);
    const input = this.input('verify_proof', proof);
    this.check('verify_proof', this.instance.call('jz_verify_proof', this.instance.platform, at, keys.length, input, this.at('word')));
    return this.instance.u32(this.at('word'));
  }

  private at(which: keyof typeof place): number {
    return this.instance.struct + place[which];
  }
  private check(call: string, number: number): void {
    const status = statusOf(number);
    if (status !== 'ok') throw new PurseError(status, call, this.instance.lastThrown);
  }
  private simple(call: string, ...args: (number | bigint)[]): void {
    this.check(call, this.instance.call(`jz_purse_${call}`, this.instance.purse, ...args));
  }
  // Copies the input into the module and makes a jz_view of it; its address is what the call takes.
  private input(call: string, content: Uint8Array, view: 'view' | 'secondView' = 'view', offset = 0): number {
    if (offset + content.length > inputBytes) throw new PurseError('too_large', call);
    this.instance.write(this.instance.in + offset, content);
    this.instance.view.setUint32(this.at(view), this.instance.in + offset, true);
    this.instance.view.setUint32(this.at(view) + 4, content.length, true);
    return this.at(view);
  }
  private written(call: string, ...args: (number | bigint)[]): [Status, Uint8Array] {
    const { out } = this.instance;
    const number = this.instance.call(`jz_purse_${call}`, this.instance.purse, ...args, out, messageBytes, this.at('size'));
    return [statusOf(number), this.instance.read(out, this.instance.u32(this.at('size')))];
  }
  private writing(call: string, ...args: (number | bigint)[]): Uint8Array {
    const [status, content] = this.written(call, ...args);
    if (status !== 'ok') throw new PurseError(status, call, this.instance.lastThrown);
    return content;
  }
  private writingIfThere(call: string, ...args: (number | bigint)[]): Uint8Array | undefined {
    const [status, content] = this.written(call, ...args);
    if (status === 'nothing_here') return undefined;
    if (status !== 'ok') throw new PurseError(status, call, this.instance.lastThrown);
    return content;
  }
  private putKeys(call: string, keys: readonly IssuerKey[]): number {
    if (keys.length > maxKeys || keys.some((key) => key.publicKey.length > 33)) throw new PurseError('bad_argument', call);
    const start = this.at('struct');
    this.instance.bytes.fill(0, start, start + maxKeys * keyBytes);
    keys.forEach((key, i) => {
      const at = start + i * keyBytes;
      this.instance.view.setInt32(at, key.suite, true);
      this.instance.view.setInt32(at + 4, key.revoked ? 1 : 0, true);
      this.instance.view.setUint8(at + 8, key.publicKey.length);
      this.instance.write(at + 9, key.publicKey);
    });
    return start;
  }
}
