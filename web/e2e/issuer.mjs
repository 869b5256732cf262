// Purses of other devices, for the browser's tests: the real package in Node, enrolled and loaded at the real program.
import { randomBytes, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { compilePurse, cryptography, MemoryAnchor, MemoryStorage, Purse, readJournal, softwareSigner } from "jiaozi-purse";

const module = await compilePurse(await readFile(createRequire(import.meta.url).resolve("jiaozi-purse/purse.wasm")));
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const base64 = (content) => Buffer.from(content).toString("base64");

export class Server {
  constructor({ url, key }) {
    Object.assign(this, { url, key });
  }
  async call(method, path, body) {
    const headers = { Authorization: `Bearer ${this.key}`, "Content-Type": "application/json", "Idempotency-Key": randomUUID() };
    const response = await fetch(this.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }
  async until(condition, what) {
    for (let i = 0; i < 150; ++i) {
      const found = await condition();
      if (found) return found;
      await new Promise((wake) => { setTimeout(wake, 200); });
    }
    throw new Error(`did not happen: ${what}`);
  }
  async wallet(group, name, amount) {
    const wallet = await this.call("POST", `/v1/groups/${group}/wallets`, { name, asset: "CNY" });
    if (amount > 0) await this.call("POST", `/v1/wallets/${wallet.id}/deposits`, { amount: String(amount), asset: "CNY" });
    return wallet.id;
  }
  async deposit(items, purse) {
    return (await this.call("POST", "/v1/purses/deposits", { items: items.map(base64), ...(purse === undefined ? {} : { purse }) })).data;
  }
  async settle(device) {
    const { items, sync } = readJournal(device.purse);
    if (items.length > 0) await this.deposit(items, device.number);
    const { acknowledgement } = await this.call("POST", `/v1/purses/${device.number}/sync`, { last_seen: sync.lastSync });
    device.purse.sync(bytes(acknowledgement));
  }
  /** A device with a purse of `amount`, 0 to receive only. */
  async device(wallet, amount, suite = 1) {
    const signer = softwareSigner(suite, new Uint8Array(randomBytes(32)));
    const { ordinal: number } = await this.call("POST", "/v1/purses", { wallet, suite, key: Buffer.from(signer.publicKey).toString("hex") });
    const { certificate } = await this.call("POST", `/v1/purses/${number}/loads`, { amount: String(amount), asset: "CNY" });
    const { issuers } = await this.call("GET", "/v1/purses/root");
    const keys = issuers.map(({ suite: of, key }) => ({ suite: of, publicKey: new Uint8Array(Buffer.from(key, "hex")) }));
    const platform = { cryptography, signer, storage: new MemoryStorage(), anchor: new MemoryAnchor(new Uint8Array(randomBytes(16))), now: () => Math.floor(Date.now() / 1000) };
    const purse = await Purse.create(module, platform, { purse: number });
    purse.trust(keys);
    purse.load(bytes(certificate));
    const list = await this.until(() => this.call("GET", "/v1/purses/blacklist").catch(() => undefined), "the first blacklist");
    purse.installList(bytes(list.head), bytes(list.body));
    return { purse, number, platform, keys };
  }
}

/** A whole payment offline; without its receipt the payer does not know what became of it. */
export function transfer(payer, payee, amount, { receipt = true } = {}) {
  const { answer } = payee.purse.receive(payer.purse.pay(payee.purse.request(amount).message));
  if (receipt) payer.purse.receive(answer);
}

/** The same purse once more, as somebody makes who copies a device's memory. */
export async function copyOf({ platform, number, keys }) {
  const storage = new MemoryStorage();
  platform.storage.journal.forEach((record, index) => storage.append(BigInt(index), record));
  for (const [slot, content] of platform.storage.slots) storage.slots.set(slot, content);
  const { id, counter } = platform.anchor.read();
  const copied = { ...platform, storage, anchor: new MemoryAnchor(id, counter) };
  const purse = await Purse.open(module, copied);
  purse.trust(keys);
  return { purse, number, platform: copied, keys };
}
