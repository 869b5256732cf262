// What the page knows of the platform: loaded once, then kept current by events.
import { useCallback, useEffect, useReducer, useRef, useState } from "react";

import { ApiError, type Api, type ApiEvent, type Device, type Group, type Member, type Overview, type Payment, type Person, type Product, type Purse, type SandboxDevice, type Slot, type Wallet } from "./api";
import { follow } from "./stream";

export type World = {
  machines: SandboxDevice[];
  slots: Map<string, Slot[]>;
  products: Map<string, Product>;
  devices: Map<string, Device>;
  groups: Map<string, Group>;
  members: Member[];
  people: Map<string, Person>;
  wallets: Wallet[];
  purses: Purse[];
  payments: Payment[];
  overview: Overview;
};

const byId = <T extends { id: string }>(rows: T[]) => new Map(rows.map((row) => [row.id, row]));

async function load(api: Api): Promise<World> {
  const [machines, products, devices, groups, people, wallets, purses, payments, overview] = await Promise.all([
    api.sandboxDevices(), api.list<Product>("/v1/products"), api.list<Device>("/v1/devices"), api.list<Group>("/v1/groups"),
    api.list<Person>("/v1/people"), api.list<Wallet>("/v1/wallets"), api.purses(), api.recentPayments(), api.overview(),
  ]);
  const slots = await Promise.all(machines.data.map(async (m) => [m.device, (await api.slots(m.device)).data] as const));
  const members = await Promise.all(groups.map((group) => api.list<Member>(`/v1/groups/${group.id}/members`)));
  return {
    machines: machines.data, slots: new Map(slots), products: byId(products), devices: byId(devices), groups: byId(groups),
    members: members.flat(), people: byId(people), wallets, purses, payments: payments.data, overview,
  };
}

/** Puts a payment in its place, newest first; an older version of one already there changes nothing. */
export function withPayment(payments: Payment[], payment: Payment): Payment[] {
  const known = payments.find((row) => row.id === payment.id);
  if (known && known.updated > payment.updated) return payments;
  const rest = payments.filter((row) => row.id !== payment.id);
  return [payment, ...rest].sort((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0)).slice(0, 50);
}

type Change = { kind: "loaded"; world: World } | { kind: "payment"; payment: Payment } | { kind: "patch"; part: Partial<World> };

function reduce(world: World | undefined, change: Change): World | undefined {
  if (change.kind === "loaded") return change.world;
  if (!world) return world;
  if (change.kind === "payment") return { ...world, payments: withPayment(world.payments, change.payment) };
  return { ...world, ...change.part };
}

export function useWorld(api: Api) {
  const [world, dispatch] = useReducer(reduce, undefined);
  const [connected, setConnected] = useState(false);
  const [failure, setFailure] = useState<ApiError>();
  const pending = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  // Balances and sums follow payments; many events close together cost one reading.
  const refreshSoon = useCallback(() => {
    if (pending.current !== undefined) return;
    pending.current = setTimeout(() => {
      pending.current = undefined;
      Promise.all([api.list<Wallet>("/v1/wallets"), api.purses(), api.overview(), api.sandboxDevices()])
        .then(([wallets, purses, overview, machines]) => dispatch({ kind: "patch", part: { wallets, purses, overview, machines: machines.data } }))
        .catch(() => undefined); // the stream tells when the program is gone
    }, 250);
  }, [api]);

  const onEvent = useCallback((event: ApiEvent) => {
    if (event.type.startsWith("payment.") && (event.data as { object?: string }).object === "payment") {
      dispatch({ kind: "payment", payment: event.data as unknown as Payment });
    }
    refreshSoon();
  }, [refreshSoon]);

  useEffect(() => {
    const stop = follow(api, onEvent, setConnected);
    const pulse = setInterval(refreshSoon, 5000);
    return () => { clearInterval(pulse); stop(); };
  }, [api, onEvent, refreshSoon]);

  // At first, and again once the program answers after it did not.
  const missing = world === undefined;
  const retry = connected && failure?.status === 0;
  useEffect(() => {
    if (!missing) return;
    let stopped = false;
    load(api)
      .then((loaded) => { if (!stopped) { setFailure(undefined); dispatch({ kind: "loaded", world: loaded }); } })
      .catch((error: unknown) => { if (!stopped) setFailure(error instanceof ApiError ? error : new ApiError(0, "unknown", String(error))); });
    return () => { stopped = true; };
  }, [api, missing, retry]);

  const setPayment = useCallback((payment: Payment) => { dispatch({ kind: "payment", payment }); refreshSoon(); }, [refreshSoon]);
  const setMachine = useCallback((machine: SandboxDevice) => {
    if (world) dispatch({ kind: "patch", part: { machines: world.machines.map((row) => (row.device === machine.device ? machine : row)) } });
  }, [world]);
  return { world, connected, failure, setPayment, setMachine, refreshSoon };
}
