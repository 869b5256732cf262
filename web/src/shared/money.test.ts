import { describe, expect, it } from "vitest";

import { display, minor, parse } from "./money";

describe("amounts", () => {
  it.each([
    ["350", "CNY", "3.50 CNY"],
    ["5", "EUR", "0.05 EUR"],
    ["0", "CNY", "0.00 CNY"],
    ["120", "JPY", "120 JPY"],
    ["123456789", "CNY", "1\u202f234\u202f567.89 CNY"],
    ["340282366920938463463374607431768211455", "JPY", "340\u202f282\u202f366\u202f920\u202f938\u202f463\u202f463\u202f374\u202f607\u202f431\u202f768\u202f211\u202f455 JPY"],
  ])("%s of %s is shown as %s", (digits, asset, shown) => {
    expect(display(minor(digits), asset)).toBe(shown);
  });

  it.each(["", "-1", "1.5", "01", "1e3", " 1"])("%j is not an amount", (bad) => {
    expect(() => minor(bad)).toThrow();
  });

  it.each([["12.5", "CNY", 1250n], ["12,50", "CNY", 1250n], ["7", "CNY", 700n], ["0.01", "CNY", 1n], ["120", "JPY", 120n]])("%s %s is entered as %s", (text, asset, amount) => {
    expect(parse(text, asset)).toBe(amount);
  });
  it.each([["0", "CNY"], ["-1", "CNY"], ["1.234", "CNY"], ["1.5", "JPY"], ["", "CNY"], ["1e3", "CNY"], ["1 000", "CNY"]])("%j %s cannot be entered", (text, asset) => {
    expect(parse(text, asset)).toBeUndefined();
  });
});
