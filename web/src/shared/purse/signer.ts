// The purse's side of the signer: a key in the browser's own keeping, used from a worker that may sleep.
import type { PurseSigner } from "jiaozi-purse";

import { sharedBytes, signatureAt, signing, stateAt, type Opening } from "./signing";

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const patience = 20_000; // ms

export async function makeKeys(): Promise<{ keys: CryptoKeyPair; publicKey: Uint8Array }> {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const whole = new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey)); // 04, x, y
  const publicKey = new Uint8Array(33);
  publicKey[0] = 2 + ((whole[64] ?? 0) & 1);
  publicKey.set(whole.subarray(1, 33), 1);
  return { keys, publicKey };
}

/** The one form that every purse accepts: s in the lower half (docs/crypto.md). */
export function lowS(signature: Uint8Array): Uint8Array {
  const s = signature.subarray(32).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  if (s <= order / 2n) return signature;
  const low = signature.slice();
  let rest = order - s;
  for (let i = 63; i >= 32; --i, rest >>= 8n) low[i] = Number(rest & 255n);
  return low;
}

export async function openSigner(keys: CryptoKeyPair, publicKey: Uint8Array): Promise<PurseSigner> {
  if (!globalThis.crossOriginIsolated) throw new Error("the page is not isolated: does a proxy remove Cross-Origin-Embedder-Policy?");
  const shared = new SharedArrayBuffer(sharedBytes);
  const worker = new Worker(new URL("./signer.worker.ts", import.meta.url), { type: "module" });
  await new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => reject(new Error(event.message || "the signer did not start"));
    worker.postMessage({ key: keys.privateKey, shared } satisfies Opening);
  });
  const state = new Int32Array(shared, stateAt, 1);
  const sign = (message: Uint8Array) => {
    Atomics.store(state, 0, signing.asked);
    worker.postMessage(message);
    Atomics.wait(state, 0, signing.asked, patience);
    if (Atomics.load(state, 0) !== signing.done) throw new Error("the browser's key did not sign");
    return lowS(new Uint8Array(shared, signatureAt, 64).slice());
  };
  return { suite: 2, publicKey, sign };
}
