// The purse's own code runs here and nowhere else: only this script is served with the permission to compile WebAssembly, and it
// sees no document and no key of the API. One call at a time, answered in order. See client.ts for the other side.
import { Purse, PurseError, type IssuerKey } from "jiaozi-purse";

import { localCalls, purseModule } from "./local";

const calls = {
  /** Who signed both notes; needs no purse. */
  async verifyProof(keys: readonly IssuerKey[], proof: Uint8Array): Promise<number> {
    return (await Purse.verifier(await purseModule())).verifyProof(keys, proof);
  },
  ...localCalls,
};

export type Calls = typeof calls;
export type Question = { id: number; name: keyof Calls; args: unknown[] };
export type Answer = { id: number; result: unknown } | { id: number; status: string; message: string };

function failure(id: number, error: unknown): Answer {
  if (error instanceof PurseError) return { id, status: error.status, message: error.message };
  const elsewhere = error instanceof Error && error.message === "elsewhere";
  const status = elsewhere ? "elsewhere" : error instanceof WebAssembly.CompileError ? "no_module" : "failed";
  return { id, status, message: error instanceof Error ? error.message : String(error) };
}

let last: Promise<void> = Promise.resolve();
addEventListener("message", ({ data }: MessageEvent<Question>) => {
  const call = calls[data.name] as (...args: unknown[]) => Promise<unknown>;
  last = last.then(() => call(...data.args)).then(
    (result) => postMessage({ id: data.id, result } satisfies Answer),
    (error: unknown) => postMessage(failure(data.id, error)),
  );
});
