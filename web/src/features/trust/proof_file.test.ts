import { readForkProof } from "jiaozi-purse";
import { describe, expect, it } from "vitest";

import spec from "../../../../docs/protocol/offline.md?raw";
import { toBase64 } from "../../shared/bytes";
import { sharedSpans } from "./ForkPicture";
import { keyText, readKeys, readProofFile } from "./proof_file";

// The page's worked example.
const hex = (/```hex fork_proof\n([0-9a-f\n]+)```/.exec(spec)?.[1] ?? "").replaceAll("\n", "");
const proof = Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const text = (content: string) => new TextEncoder().encode(content);
const base64 = toBase64(proof);

describe("a fork proof's file", () => {
  it.each([
    ["bytes", proof],
    ["hexadecimal", text(`${hex}\n`)],
    ["base64", text(base64)],
    ["the API's answer", text(JSON.stringify({ object: "purse_proof", proof: base64 }))],
  ])("is read as %s", (_, file) => {
    expect(readProofFile(file)).toEqual(proof);
  });
  it.each([["nothing", ""], ["JSON without it", "{}"], ["broken JSON", "{"], ["other text", "hello!"]])("is not read from %s", (_, file) => {
    expect(readProofFile(text(file))).toBeUndefined();
  });
  it("has at most 64 KiB", () => {
    expect(readProofFile(new Uint8Array(64 * 1024 + 1).fill(0x84))).toBeUndefined();
  });
  it("shows where the two notes overlap", () => {
    expect(sharedSpans(readForkProof(proof))).toEqual({ lot: true, spans: [{ from: 0n, to: 1250n }, { from: 0n, to: 1250n }] });
  });
});

describe("issuers' keys", () => {
  const key = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
  it("are read as they are written", () => {
    const written = keyText({ object: "purse_issuer", kid: "", suite: 1, key });
    expect(written).toBe(`ed25519:${key}`);
    expect(readKeys(`${written}\n\n sm2:02${key}`)).toMatchObject({ keys: [{ suite: 1 }, { suite: 3 }] });
  });
  it.each(["rsa:00", `ed25519:02${key}`, `p256:${key}`, "ed25519:"])("%s is none", (line) => {
    expect(readKeys(line)).toEqual({ bad: line });
  });
});
