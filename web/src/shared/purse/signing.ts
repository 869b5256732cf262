// The shared memory between the purse's worker, which sleeps, and the signer, which signs: a state (Int32) and a signature.
export const signing = { idle: 0, asked: 1, done: 2, failed: 3 };
export const stateAt = 0;
export const signatureAt = 8;
export const sharedBytes = 72;

export type Opening = { key: CryptoKey; shared: SharedArrayBuffer };
