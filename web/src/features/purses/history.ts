// What happened to a purse, from the platform's events: its own changes, and each note at its newest state.
import { useEffect, useState } from "react";

import type { Api, ApiEvent } from "../../shared/api";

export type Note = {
  id: string;
  state: "pending" | "settled" | "voided" | "lapsed" | "reversed";
  payer: number;
  payee: number;
  amount: string;
  asset: string;
  updated: string;
};
export type PurseChange = { id: string; type: string; amount: string | undefined; asset: string; updated: string };
export type PurseHistory = { notes: Note[]; changes: PurseChange[] };

type NoteData = { object: "purse_note"; note: string; state: Note["state"]; payer_purse: number; payee_purse: number; amount: string; asset: string; updated: string };
type ChangeData = { object: "purse_change"; purse: number; amount?: string; asset: string; updated: string };

/** Events come newest first: the first that speaks of a note is its state now. */
export function historyOf(purse: number, events: readonly ApiEvent[]): PurseHistory {
  const notes = new Map<string, Note>();
  const changes: PurseChange[] = [];
  for (const event of events) {
    const data = event.data as unknown as NoteData | ChangeData;
    if (data.object === "purse_change" && data.purse === purse) {
      changes.push({ id: event.id, type: event.type, amount: data.amount, asset: data.asset, updated: data.updated });
    }
    if (data.object !== "purse_note" || (data.payer_purse !== purse && data.payee_purse !== purse) || notes.has(data.note)) continue;
    notes.set(data.note, { id: data.note, state: data.state, payer: data.payer_purse, payee: data.payee_purse, amount: data.amount, asset: data.asset, updated: data.updated });
  }
  return { notes: [...notes.values()], changes };
}

/** `version` changes when there may be something new. */
export function useHistory(api: Api, purse: number, version: string): PurseHistory | undefined {
  const [history, setHistory] = useState<PurseHistory>();
  useEffect(() => {
    let stopped = false;
    api.list<ApiEvent>("/v1/events?type=purse.*")
      .then((events) => { if (!stopped) setHistory(historyOf(purse, events)); })
      .catch(() => undefined); // the stream tells when the program is gone
    return () => { stopped = true; };
  }, [api, purse, version]);
  return history;
}
