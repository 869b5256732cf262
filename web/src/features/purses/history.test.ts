import { describe, expect, it } from "vitest";

import type { ApiEvent } from "../../shared/api";
import { historyOf } from "./history";

const event = (id: string, type: string, data: object) => ({ object: "event", id, type, data }) as unknown as ApiEvent;
const note = (id: string, state: string, payer: number, payee: number) =>
  event(`evt_${id}_${state}`, `purse.note_${state}`, { object: "purse_note", note: id, state, payer_purse: payer, payee_purse: payee, amount: "350", asset: "CNY", updated: "2026-01-01T00:00:00Z" });

describe("a purse's history", () => {
  it("has each of its notes once, as it stands now, and nobody else's", () => {
    const events = [note("a", "settled", 1, 2), note("b", "pending", 2, 1), note("c", "settled", 2, 3), note("a", "pending", 1, 2)];
    expect(historyOf(1, events).notes.map(({ id, state }) => `${id} ${state}`)).toEqual(["a settled", "b pending"]);
  });
  it("has its own changes", () => {
    const change = (purse: number) => event(`evt_${purse}`, "purse.loaded", { object: "purse_change", purse, amount: "500", asset: "CNY", updated: "2026-01-01T00:00:00Z" });
    expect(historyOf(1, [change(1), change(2)]).changes).toHaveLength(1);
  });
});
