// Amounts are whole minor units. The brand keeps a bare number, and a sum of different things, from being taken for money.
declare const brand: unique symbol;
export type Minor = bigint & { readonly [brand]: "minor units" };

const exponents: Readonly<Record<string, number>> = { JPY: 0 };

export function minor(digits: string): Minor {
  if (!/^(0|[1-9][0-9]{0,38})$/.test(digits)) throw new Error(`not an amount in minor units: ${digits}`);
  return BigInt(digits) as Minor;
}

/** Of one asset. */
export function sum(amounts: readonly Minor[]): Minor {
  return amounts.reduce<bigint>((total, amount) => total + amount, 0n) as Minor;
}

/** What of the whole is not used; never below zero. */
export function rest(whole: Minor, used: Minor): Minor {
  return (whole > used ? whole - used : 0n) as Minor;
}

/** "3.50 CNY" from 350 and CNY. */
export function display(amount: Minor, asset: string): string {
  const places = exponents[asset] ?? 2;
  const digits = amount.toString().padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const part = places > 0 ? `.${digits.slice(digits.length - places)}` : "";
  return `${whole.replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f")}${part} ${asset}`;
}

/** "12.5" in CNY is 1,250 minor units; undefined for what is no amount above zero, or too fine for the asset. */
export function parse(text: string, asset: string): Minor | undefined {
  const places = exponents[asset] ?? 2;
  const [, whole, part = ""] = /^([0-9]{1,15})(?:[.,]([0-9]{1,8}))?$/.exec(text.trim()) ?? [];
  if (whole === undefined || part.length > places) return undefined;
  const amount = BigInt(whole + part.padEnd(places, "0"));
  return amount === 0n ? undefined : (amount as Minor);
}
