import { describe, expect, it } from "vitest";

import type { Payment } from "./api";
import { texts } from "./i18n";
import { withPayment } from "./world";

const payment = (id: string, created: string, updated: string, state: Payment["state"]): Payment => ({
  object: "payment", id, kind: "machine", state, reason: "none", amount: "350", captured: "0", refunded: "0", asset: "CNY", payer_wallet: null, payer_member: null,
  payee_wallet: null, device: null, payer_device: null, product: null, slot: 1, quantity: 1, delivered: 0, late_delivery: false, created, updated, expires: null, offline: null,
});

describe("the list of payments", () => {
  it("keeps the newest version of each, newest payment first, whatever order events come in", () => {
    const first = payment("pay_1", "2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z", "authorized");
    const done = { ...first, updated: "2026-01-01T00:00:05Z", state: "captured" as const };
    const second = payment("pay_2", "2026-01-01T00:00:02Z", "2026-01-01T00:00:02Z", "authorized");
    const rows = [second, done, first].reduce<Payment[]>(withPayment, []);
    expect(rows.map((row) => `${row.id} ${row.state}`)).toEqual(["pay_2 authorized", "pay_1 captured"]);
  });
});

describe("texts", () => {
  it("say something in both languages for everything but 'no reason'", () => {
    for (const language of ["en", "zh"] as const) {
      for (const [key, text] of Object.entries(texts[language])) if (key !== "r_none") expect(text, `${language} ${key}`).not.toBe("");
    }
  });
});
