// A fork proof in any of the forms in which it travels (the same as `jiaozi purse verify-proof` takes), and issuers' keys.
import type { IssuerKey } from "jiaozi-purse";

import type { PurseIssuer } from "../../shared/api";
import { fromBase64, fromHex } from "../../shared/bytes";

const largest = 64 * 1024;
const arrayOfFour = 0x84;

/** undefined: it is none of these. */
export function readProofFile(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length === 0 || bytes.length > largest) return undefined;
  if (bytes[0] === arrayOfFour) return bytes;
  try {
    let text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
    if (text.startsWith("{")) {
      const { proof } = JSON.parse(text) as { proof?: unknown };
      if (typeof proof !== "string") return undefined;
      text = proof;
    }
    return /^[0-9a-fA-F]+$/.test(text) ? fromHex(text) : fromBase64(text);
  } catch {
    return undefined;
  }
}

const suiteTexts = ["ed25519", "p256", "sm2"] as const;

export function keyText(issuer: PurseIssuer): string {
  return `${suiteTexts[issuer.suite - 1] ?? issuer.suite}:${issuer.key}`;
}

/** One "SUITE:HEX" a line; the line that is none, if there is one. */
export function readKeys(text: string): { keys: IssuerKey[] } | { bad: string } {
  const keys: IssuerKey[] = [];
  for (const line of text.split(/\s+/).filter((word) => word !== "")) {
    const [, name, hex] = /^(ed25519|p256|sm2):([0-9a-fA-F]{64}|[0-9a-fA-F]{66})$/.exec(line) ?? [];
    const suite = suiteTexts.indexOf(name as (typeof suiteTexts)[number]) + 1;
    if (hex === undefined || hex.length !== (suite === 1 ? 64 : 66)) return { bad: line };
    keys.push({ suite: suite as IssuerKey["suite"], publicKey: fromHex(hex) });
  }
  return { keys };
}
