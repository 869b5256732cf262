// What a browser keeps of its purse besides the journal: the key, which no script can read, and who the purse is. One purse a browser.
import type { IssuerKey } from "jiaozi-purse";

export type Settings = {
  keys: CryptoKeyPair; // P-256; the private one is not extractable
  publicKey: Uint8Array; // 33 bytes, compressed
  enrolled?: { purse: number; wallet: string; asset: string; issuers: IssuerKey[] };
  removing?: true; // somebody wants it gone: what is left of it is removed before anything else
  loading?: { amount: string; idempotencyKey: string }; // asked for, and the certificate is not here yet
};

const place = "purse";

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("jiaozi", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(place);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB cannot be opened"));
  });
}

async function inStore<T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(place, mode, { durability: "strict" });
      const request = use(transaction.objectStore(place));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error("the browser did not store it"));
    });
  } finally {
    database.close();
  }
}

export async function readSettings(): Promise<Settings | undefined> {
  return (await inStore("readonly", (store) => store.get("it"))) as Settings | undefined;
}

export async function writeSettings(settings: Settings): Promise<void> {
  await inStore("readwrite", (store) => store.put(settings, "it"));
}

export async function forgetSettings(): Promise<void> {
  await inStore("readwrite", (store) => store.delete("it"));
}
