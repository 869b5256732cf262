// This browser's purse: its journal in files that only this origin has, its key where no script can read it. Runs in the worker.
import { compilePurse, cryptography, HandleAnchor, HandleStorage, Purse, PurseError, readJournal, type IssuerKey, type Journal, type Offer, type PurseInfo, type SyncHandle } from "jiaozi-purse";

import { makeKeys, openSigner } from "./signer";
import { forgetSettings, readSettings as storedSettings, writeSettings, type Settings } from "./store";

export type LocalState =
  | { there: "nothing" }
  | { there: "key"; publicKey: Uint8Array }
  | { there: "purse"; purse: number; wallet: string; asset: string; info: PurseInfo; journal: Journal; anchor: number; loading: Settings["loading"] };

/** What a message from the other side has changed. */
export type Heard = { status: string; answer: Uint8Array | undefined; outcome: "paid" | "voided" | "credited" | "nothing" };

type Open = { purse: Purse; anchor: HandleAnchor; files: readonly Handle[] };
const verbs = { receipt: 3, voided: 4 };

let compiled: Promise<WebAssembly.Module> | undefined;
export function purseModule(): Promise<WebAssembly.Module> {
  compiled ??= compilePurse();
  return compiled;
}

let open: Open | undefined;

// Synchronous handles are there in workers only, so the types of documents lack them.
type Handle = SyncHandle & { getSize(): number; close(): void };
type WorkersFile = FileSystemFileHandle & { createSyncAccessHandle(): Promise<Handle> };

const folderName = "jiaozi-purse";

// Files that another page has open cannot be opened. One that was just closed is free within a moment.
async function handles(): Promise<[Handle, Handle, Handle]> {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(folderName, { create: true });
  const handle = async (name: string) => ((await folder.getFileHandle(name, { create: true })) as WorkersFile).createSyncAccessHandle();
  for (let tries = 20; ; --tries) {
    const opened: Handle[] = [];
    try {
      for (const name of ["journal", "slots", "anchor"]) opened.push(await handle(name));
      return opened as [Handle, Handle, Handle];
    } catch (error) {
      for (const file of opened) file.close(); // else the next try would meet them
      if (tries === 0) throw new Error("elsewhere", { cause: error });
      await new Promise((wake) => { setTimeout(wake, 100); });
    }
  }
}

async function openPurse(settings: Settings): Promise<Open> {
  if (open) return open;
  const { enrolled } = settings;
  if (!enrolled) throw new Error("the purse is not enrolled yet");
  const [journal, slots, counter] = await handles();
  const anchor = new HandleAnchor(counter, crypto.getRandomValues(new Uint8Array(16)));
  const signer = await openSigner(settings.keys, settings.publicKey);
  const platform = { cryptography, signer, storage: new HandleStorage(journal, slots), anchor, now: () => Math.floor(Date.now() / 1000) };
  const module = await purseModule();
  const purse = journal.getSize() === 0 ? await Purse.create(module, platform, { purse: enrolled.purse }) : await Purse.open(module, platform);
  purse.trust(enrolled.issuers);
  open = { purse, anchor, files: [journal, slots, counter] };
  return open;
}

// The journal before the key, and the mark before both: a purse whose journal alone is gone would begin again from number 1, and what it then says would contradict what it has said.
async function finishRemoval(): Promise<void> {
  for (const file of open?.files ?? []) file.close();
  open = undefined;
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(folderName, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof DOMException) || error.name !== "NotFoundError") throw error;
  });
  await forgetSettings();
}

async function readSettings(): Promise<Settings | undefined> {
  const settings = await storedSettings();
  if (!settings?.removing) return settings;
  await finishRemoval();
  return undefined;
}

async function needed(): Promise<{ settings: Settings; local: Open }> {
  const settings = await readSettings();
  if (!settings) throw new PurseError("nothing_here", "open");
  return { settings, local: await openPurse(settings) };
}
const purse = async () => (await needed()).local.purse;

export const localCalls = {
  async state(): Promise<LocalState> {
    const settings = await readSettings();
    if (!settings) return { there: "nothing" };
    if (!settings.enrolled) return { there: "key", publicKey: settings.publicKey };
    const local = await openPurse(settings);
    const { purse: number, wallet, asset } = settings.enrolled;
    return {
      there: "purse", purse: number, wallet, asset, info: local.purse.info(), journal: readJournal(local.purse),
      anchor: local.anchor.read().counter, loading: settings.loading,
    };
  },
  /** A key, once: what was made before is kept. */
  async makeKey(): Promise<Uint8Array> {
    const known = await readSettings();
    if (known) return known.publicKey;
    const made = await makeKeys();
    await writeSettings(made);
    return made.publicKey;
  },
  async enrolled(purseNumber: number, wallet: string, asset: string, issuers: IssuerKey[]): Promise<void> {
    const settings = await readSettings();
    if (!settings || settings.enrolled) return;
    await writeSettings({ ...settings, enrolled: { purse: purseNumber, wallet, asset, issuers } });
  },
  /** Gone from this browser. `typed`: the purse's number, which somebody has written who knows what goes with it; needed unless nothing is in it. */
  async remove(typed: string): Promise<void> {
    const { settings, local } = await needed();
    const { spendable, received, unknown, voidHeld } = local.purse.info();
    const empty = spendable + received + unknown + voidHeld === 0n && readJournal(local.purse).items.length === 0 && !settings.loading;
    if (!empty && typed !== String(settings.enrolled?.purse)) throw new PurseError("bad_argument", "remove");
    await writeSettings({ ...settings, removing: true });
    await finishRemoval();
  },
  /** A load that was asked for keeps its key until the certificate is here, so that it is asked for once. */
  async beginLoad(amount: bigint): Promise<{ amount: string; idempotencyKey: string }> {
    const { settings } = await needed();
    const loading = settings.loading ?? { amount: amount.toString(), idempotencyKey: crypto.randomUUID() };
    await writeSettings({ ...settings, loading });
    return loading;
  },
  async abandonLoad(): Promise<void> {
    const { loading: _, ...rest } = (await needed()).settings;
    await writeSettings(rest);
  },
  async load(certificate: Uint8Array): Promise<void> {
    (await purse()).load(certificate);
    await localCalls.abandonLoad();
  },
  async installList(head: Uint8Array, body: Uint8Array): Promise<void> {
    (await purse()).installList(head, body);
  },
  async sync(acknowledgement: Uint8Array): Promise<void> {
    (await purse()).sync(acknowledgement);
  },
  async request(amount: bigint): Promise<{ nonce: Uint8Array; message: Uint8Array }> {
    return (await purse()).request(amount);
  },
  async giveUp(nonce: Uint8Array): Promise<Uint8Array> {
    return (await purse()).void(nonce);
  },
  async look(request: Uint8Array): Promise<Offer> {
    return (await purse()).look(request);
  },
  async pay(request: Uint8Array): Promise<Uint8Array> {
    return (await purse()).pay(request);
  },
  async resume(index: number): Promise<Uint8Array | undefined> {
    return (await purse()).resume(index);
  },
  async receive(message: Uint8Array): Promise<Heard> {
    const local = await purse();
    const before = local.info();
    const { status, answer } = local.receive(message);
    const after = local.info();
    let outcome: Heard["outcome"] = "nothing";
    if (after.voidHeld > before.voidHeld) outcome = "voided";
    else if (after.paymentsUnknown < before.paymentsUnknown || (status === "ok" && message[0] === verbs.receipt)) outcome = "paid";
    else if (status === "ok" && answer?.[0] === verbs.receipt) outcome = "credited";
    else if (answer?.[0] === verbs.voided) outcome = "voided";
    return { status, answer, outcome };
  },
};
