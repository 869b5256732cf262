// The one purse of this browser, and its dealings with the server.
import { ApiError, type Api, type PurseBlacklist, type PurseRoot } from "../../shared/api";
import { fromBase64, fromHex, toBase64 } from "../../shared/bytes";
import { texts, type Key, type Translate } from "../../shared/i18n";
import { PurseFailure, PurseWorker } from "../../shared/purse/client";
import type { LocalState } from "../../shared/purse/local";

export type LocalPurse = Extract<LocalState, { there: "purse" }>;

// Kept while the page is: the worker has the purse's files open, and they open once.
let worker: PurseWorker | undefined;
export function local(): PurseWorker {
  worker ??= new PurseWorker();
  return worker;
}

const mostItems = 100;
const mostText = 40_000; // of base64 in one request; a body has at most 64 KiB

/** In requests of a size that the server takes. */
export function batches(items: readonly Uint8Array[]): string[][] {
  const all: string[][] = [];
  let size = 0;
  for (const item of items.map(toBase64)) {
    const last = all.at(-1);
    if (!last || last.length === mostItems || size + item.length > mostText) {
      all.push([item]);
      size = item.length;
    } else {
      last.push(item);
      size += item.length;
    }
  }
  return all;
}

/** What went wrong, in words. */
export function explain(error: unknown, t: Translate): string {
  if (error instanceof ApiError) return error.status === 0 ? t("offlineNeedsNetwork") : error.message;
  if (!(error instanceof PurseFailure)) return error instanceof Error ? error.message : String(error);
  if (error.status === "elsewhere") return t("offlineElsewhere");
  if (error.status === "no_module") return t("noModule");
  return error.status === "failed" ? t("offlineNotIsolated", { why: error.message }) : statusText(error.status, t);
}

export function statusText(status: string, t: Translate): string {
  const key = `fs_${status}`;
  return key in texts.en ? t(key as Key) : t("fs_other", { status });
}

/** Makes a key if there is none, enrols it, and remembers who it is. Every step may be repeated. */
export async function enrol(api: Api, wallet: string, asset: string): Promise<void> {
  const key = await local().call("makeKey");
  const hex = Array.from(key, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const root = await api.request<PurseRoot>("GET", "/v1/purses/root");
  const made = await api.request<{ ordinal: number }>("POST", "/v1/purses", { wallet, suite: 2, key: hex }, `purse-${hex}`);
  // A purse knows four issuing keys; its own suite's first.
  const issuers = root.issuers.map(({ suite, key: of }) => ({ suite: suite as 1 | 2 | 3, publicKey: fromHex(of) })).sort((a, b) => Number(b.suite === 2) - Number(a.suite === 2)).slice(0, 4);
  await local().call("enrolled", made.ordinal, wallet, asset, issuers);
}

/** A load is asked for once: its key is kept until the certificate is here. */
export async function load(api: Api, purse: number, asset: string, amount: bigint): Promise<void> {
  const loading = await local().call("beginLoad", amount);
  let certificate: string;
  try {
    ({ certificate } = await api.request<{ certificate: string }>("POST", `/v1/purses/${purse}/loads`, { amount: loading.amount, asset }, loading.idempotencyKey));
  } catch (error) {
    if (error instanceof ApiError && error.status >= 400 && error.status < 500) await local().call("abandonLoad"); // refused for good
    throw error;
  }
  await local().call("load", fromBase64(certificate));
  await takeList(api);
}

async function takeList(api: Api): Promise<void> {
  const state = await local().call("state");
  if (state.there !== "purse") return;
  // The first list comes a moment after the first purse.
  for (let tries = 20; ; --tries) {
    try {
      const list = await api.request<PurseBlacklist>("GET", `/v1/purses/blacklist?from=${state.info.listVersion}`);
      if (list.version > state.info.listVersion) await local().call("installList", fromBase64(list.head), fromBase64(list.body));
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404 || tries === 0) throw error;
      await new Promise((wake) => { setTimeout(wake, 250); });
    }
  }
}

/** Hands in what there is, then takes the acknowledgement and the blacklist. The reasons of what was not settled. */
export async function sync(api: Api): Promise<{ handedIn: number; refused: string[] }> {
  const state = await local().call("state");
  if (state.there !== "purse") return { handedIn: 0, refused: [] };
  const refused: string[] = [];
  for (const items of batches(state.journal.items)) {
    const { data } = await api.request<{ data: { reason: string }[] }>("POST", "/v1/purses/deposits", { purse: state.purse, items });
    refused.push(...data.map(({ reason }) => reason).filter((reason) => reason !== "ok"));
  }
  const suspect = state.info.state === "suspect" ? { suspect: true, highest_seq: Math.max(state.info.seq, state.anchor) } : {};
  const { acknowledgement } = await api.request<{ acknowledgement: string }>("POST", `/v1/purses/${state.purse}/sync`, { last_seen: state.journal.sync.lastSync, ...suspect }, crypto.randomUUID());
  await local().call("sync", fromBase64(acknowledgement));
  await takeList(api);
  return { handedIn: state.journal.items.length, refused };
}
