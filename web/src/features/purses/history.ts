// What happened to a purse: its offline payments, and the changes of the purse itself.
import { useEffect, useState } from "react";

import type { Api, ApiEvent, OfflineDetail, Payment, Purse } from "../../shared/api";

export type Note = Payment & { offline: OfflineDetail };
export type PurseChange = { id: string; type: string; amount: string | undefined; asset: string; updated: string };
export type PurseHistory = { notes: Note[]; changes: PurseChange[] };

type ChangeData = { object: "purse_change"; purse: number; amount?: string; asset: string; updated: string };

/** Newest first, as they are given. */
export function historyOf(purse: number, payments: readonly Payment[], events: readonly ApiEvent[]): PurseHistory {
  const notes = payments.filter((payment): payment is Note => payment.offline !== null && (payment.offline.payer_purse === purse || payment.offline.payee_purse === purse));
  const changes = events.flatMap((event): PurseChange[] => {
    const data = event.data as unknown as ChangeData;
    if (data.object !== "purse_change" || data.purse !== purse) return [];
    return [{ id: event.id, type: event.type, amount: data.amount, asset: data.asset, updated: data.updated }];
  });
  return { notes, changes };
}

/** Of the newest 500 offline payments of the purse's wallet. `version` changes when there may be something new. */
export function useHistory(api: Api, purse: Purse | undefined, version: string): PurseHistory | undefined {
  const [history, setHistory] = useState<PurseHistory>();
  const ordinal = purse?.ordinal;
  const wallet = purse?.wallet;
  useEffect(() => {
    if (ordinal === undefined || wallet === undefined) return;
    let stopped = false;
    Promise.all([api.list<Payment>(`/v1/payments?kind=offline&wallet=${wallet}`), api.list<ApiEvent>(`/v1/events?object_id=${ordinal}&type=purse.*`)])
      .then(([payments, events]) => { if (!stopped) setHistory(historyOf(ordinal, payments, events)); })
      .catch(() => undefined); // the stream tells when the program is gone
    return () => { stopped = true; };
  }, [api, ordinal, wallet, version]);
  return history;
}
