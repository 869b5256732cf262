// The WebAssembly side: compiles purse.wasm and gives it its imports. One instance is one purse; its memory has a fixed
// size, so the views below stay valid. Layouts are held by the static_asserts of module.cpp.
import type { HashKind, Platform, StorageArea, Suite } from './platform.js';

export const purseModuleUrl = new URL('./purse.wasm', import.meta.url);

// Takes the module's bytes, or an answer of fetch; without either it is fetched from beside this file.
export async function compilePurse(source?: BufferSource | Response | PromiseLike<Response>): Promise<WebAssembly.Module> {
  const given = source === undefined ? await fetch(purseModuleUrl) : await source;
  return WebAssembly.compile(given instanceof Response ? await given.arrayBuffer() : given);
}

type Call = (...args: (number | bigint)[]) => number;

const recordBytes = 576;
const readOk = 0;
const readAbsent = 1;
const readFailed = 2;

// Calls into an instance, with its blocks of memory.
export class Instance {
  readonly purse: number;
  readonly platform: number;
  readonly in: number;
  readonly out: number;
  readonly struct: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  lastThrown: unknown = undefined;

  private constructor(private readonly exports: WebAssembly.Exports) {
    const memory = (exports['memory'] as WebAssembly.Memory).buffer;
    this.bytes = new Uint8Array(memory);
    this.view = new DataView(memory);
    this.purse = this.address('jz_wasm_purse');
    this.platform = this.address('jz_wasm_platform');
    this.in = this.address('jz_wasm_in');
    this.out = this.address('jz_wasm_out');
    this.struct = this.address('jz_wasm_struct');
  }

  static async make(module: WebAssembly.Module, platform: Platform): Promise<Instance> {
    // The imports see the memory of an instance that is made with them.
    const made: { instance?: Instance } = {};
    const instance = await WebAssembly.instantiate(module, { jiaozi: imports(platform, () => made.instance as Instance) });
    made.instance = new Instance(instance.exports);
    return made.instance;
  }

  call(name: string, ...args: (number | bigint)[]): number {
    this.lastThrown = undefined;
    return (this.exports[name] as Call)(...args);
  }

  read(address: number, size: number): Uint8Array {
    return this.bytes.slice(address, address + size);
  }
  write(address: number, content: Uint8Array): void {
    this.bytes.set(content, address);
  }
  text(address: number): string {
    return new TextDecoder().decode(this.bytes.subarray(address, this.bytes.indexOf(0, address)));
  }
  u32(address: number): number {
    return this.view.getUint32(address, true);
  }

  private address(name: string): number {
    return (this.exports[name] as WebAssembly.Global).value as number;
  }
}

const areas: readonly StorageArea[] = ['bundle', 'list', 'mule'];

function imports(platform: Platform, instance: () => Instance): Record<string, Call> {
  const { cryptography, signer, storage, anchor } = platform;
  const bytes = (address: number, size: number) => instance().read(address, size);
  const view = (address: number) => bytes(instance().u32(address), instance().u32(address + 4)); // a jz_view
  const put = (address: number, content: Uint8Array, size: number) => {
    if (content.length !== size) throw new Error(`${content.length} bytes instead of ${size}`);
    instance().write(address, content);
  };
  // A callback that throws has failed. Nothing may be thrown through the module: its call would stop half way.
  const guarded = (failed: number, callback: (...args: never[]) => number | void): Call => (...args) => {
    try {
      return (callback as (...given: (number | bigint)[]) => number | void)(...args) ?? 0;
    } catch (thrown) {
      instance().lastThrown = thrown;
      return failed;
    }
  };
  const found = (content: Uint8Array | undefined, out: number, size: number) => {
    if (content === undefined) return readAbsent;
    put(out, content, size);
    return readOk;
  };
  return {
    hash: guarded(1, (_: number, kind: HashKind, parts: number, count: number, out: number) =>
      put(out, cryptography.hash(kind, Array.from({ length: count }, (_part, i) => view(parts + 8 * i))), 32)),
    verify: guarded(1, (_: number, suite: Suite, key: number, message: number, signature: number) =>
      cryptography.verify(suite, view(key), view(message), bytes(signature, 64)) ? 0 : 1),
    x25519: guarded(1, (_: number, out: number, scalar: number, point: number) =>
      put(out, cryptography.x25519(bytes(scalar, 32), bytes(point, 32)), 32)),
    seal: guarded(1, (_: number, key: number, nonce: number, aad: number, data: number, size: number, tag: number) => {
      const sealed = cryptography.seal(bytes(key, 32), bytes(nonce, 12), view(aad), bytes(data, size));
      put(tag, sealed.subarray(size), 16);
      put(data, sealed.subarray(0, size), size);
    }),
    open: guarded(1, (_: number, key: number, nonce: number, aad: number, data: number, size: number, tag: number) => {
      const sealed = new Uint8Array(size + 16);
      sealed.set(bytes(data, size));
      sealed.set(bytes(tag, 16), size);
      const plain = cryptography.open(bytes(key, 32), bytes(nonce, 12), view(aad), sealed);
      if (plain === undefined) return 1;
      return put(data, plain, size);
    }),
    random: guarded(1, (_: number, out: number, size: number) => put(out, cryptography.random(size), size)),
    sign: guarded(1, (_: number, message: number, out: number) => put(out, signer.sign(view(message)), 64)),
    append: guarded(1, (_: number, index: bigint, record: number) =>
      storage.append(BigInt.asUintN(64, index), bytes(record, recordBytes))),
    read: guarded(readFailed, (_: number, index: bigint, out: number) =>
      found(storage.read(BigInt.asUintN(64, index)), out, recordBytes)),
    save: guarded(1, (_: number, area: number, slot: number, content: number) =>
      storage.save(areas[area] as StorageArea, slot, view(content))),
    load: guarded(readFailed, (_: number, area: number, slot: number, offset: number, out: number, size: number) =>
      found(storage.load(areas[area] as StorageArea, slot, offset, size), out, size)),
    anchor_read: guarded(1, (_: number, id: number, counter: number) => {
      const read = anchor.read();
      put(id, read.id, 16);
      instance().view.setUint32(counter, read.counter, true);
    }),
    anchor_advance: guarded(1, (_: number, counter: number) => anchor.advance(counter >>> 0)),
    now: guarded(0, () => platform.now()),
  };
}
