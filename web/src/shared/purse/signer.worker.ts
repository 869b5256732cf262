// Signs with a key that cannot be read. WebCrypto answers later and the purse cannot wait for a promise, so the purse's worker sleeps
// in shared memory until this one has written the signature there.
import { signatureAt, signing, stateAt, type Opening } from "./signing";

let opening: Opening | undefined;

async function sign(message: Uint8Array<ArrayBuffer>, { key, shared }: Opening) {
  const state = new Int32Array(shared, stateAt, 1);
  let outcome = signing.failed;
  try {
    new Uint8Array(shared, signatureAt, 64).set(new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, message)));
    outcome = signing.done;
  } finally {
    Atomics.store(state, 0, outcome);
    Atomics.notify(state, 0);
  }
}

addEventListener("message", ({ data }: MessageEvent<Opening | Uint8Array<ArrayBuffer>>) => {
  if (data instanceof Uint8Array) {
    if (opening) void sign(data, opening).catch(() => undefined); // the state says that it failed
    return;
  }
  opening = data;
  postMessage("ready");
});
