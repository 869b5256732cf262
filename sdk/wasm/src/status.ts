// The status codes of docs/protocol/offline.md, section 11. The numbers never change.

export const statusNumbers = {
  ok: 0, too_large: 10, malformed: 11, unknown_request: 12, already_voided: 13, wrong_payee: 14, wrong_amount: 15,
  wrong_suite: 16, wrong_asset: 17, expired: 18, not_yet_valid: 19, over_limit: 20, too_many_hops: 21,
  provenance_limit: 22, cvm_required: 23, stale_list: 24, unknown_issuer: 25, blacklisted: 26, fork_proven: 27,
  bad_range: 28, double_spend: 29, bad_signature: 30, wrong_directed: 31, wrong_request: 32, two_lists: 33,
  need_certificate: 40, insufficient: 41, receive_cap: 42, count_limit: 43, locked: 44, suspect: 45, frozen: 46,
  drained: 47, lost: 48, no_room: 49, unknown_note: 50, already_credited: 51, outdated: 52, settle_only: 53,
  storage_failed: 60, signer_refused: 61, crypto_failed: 62, halted: 63, buffer_too_small: 64, bad_argument: 65,
  nothing_here: 66,
} as const;

export type Status = keyof typeof statusNumbers;

const names = new Map<number, Status>(Object.entries(statusNumbers).map(([name, number]) => [number, name as Status]));

export function statusOf(number: number): Status {
  const name = names.get(number);
  if (name === undefined) throw new Error(`the purse answered ${number}, which is no status; is purse.wasm of this version?`);
  return name;
}

// What a purse refuses, or what its surroundings failed at. `cause` is what a callback threw, if one did.
export class PurseError extends Error {
  constructor(readonly status: Status, call: string, cause?: unknown) {
    super(`${call}: ${status}`, cause === undefined ? undefined : { cause });
    this.name = 'PurseError';
  }
}
