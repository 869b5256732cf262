// Whose a purse is, in words.
import type { OfflineDetail, Purse } from "../api";
import type { World } from "../world";

export const noteColours: Readonly<Record<OfflineDetail["state"], string>> = {
  known: "blue", pending: "gold", settled: "green", voided: "purple", lapsed: "default", reversed: "red",
};

export const suiteNames: Readonly<Record<number, string>> = { 1: "Ed25519", 2: "P-256", 3: "SM2/SM3" };

export function holderOf(world: World, purse: Purse): string {
  const wallet = world.wallets.find((row) => row.id === purse.wallet);
  const group = purse.group === null ? undefined : world.groups.get(purse.group);
  return [group?.name, wallet?.name].filter((name) => name !== undefined).join(" · ") || purse.wallet;
}

export function deviceOf(world: World, purse: Purse): string | undefined {
  return purse.device === null ? undefined : (world.devices.get(purse.device)?.name ?? purse.device);
}
