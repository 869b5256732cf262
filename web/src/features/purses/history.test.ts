import { describe, expect, it } from "vitest";

import type { ApiEvent, OfflineDetail, Payment } from "../../shared/api";
import { historyOf } from "./history";

const payment = (id: string, offline: Partial<OfflineDetail> | null) => ({ object: "payment", id, offline }) as unknown as Payment;
const change = (purse: number, type: string) =>
  ({ object: "event", id: `evt_${purse}_${type}`, type, data: { object: "purse_change", purse, amount: "500", asset: "CNY", updated: "2026-01-01T00:00:00Z" } }) as unknown as ApiEvent;

describe("a purse's history", () => {
  it("has the payments it paid and received, and nobody else's", () => {
    const payments = [payment("a", { payer_purse: 1, payee_purse: 2 }), payment("b", { payer_purse: 2, payee_purse: 1 }), payment("c", { payer_purse: 2, payee_purse: 3 }), payment("d", null)];
    expect(historyOf(1, payments, []).notes.map(({ id }) => id)).toEqual(["a", "b"]);
  });
  it("has its own changes", () => {
    expect(historyOf(1, [], [change(1, "purse.loaded"), change(2, "purse.loaded"), change(1, "purse.enrolled")]).changes.map(({ type }) => type)).toEqual(["purse.loaded", "purse.enrolled"]);
  });
});
