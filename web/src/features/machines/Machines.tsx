import { Card, Select } from "antd";
import { useEffect, useMemo } from "react";

import type { Api, Payment, SandboxDevice } from "../../shared/api";
import { useText } from "../../shared/i18n";
import type { World } from "../../shared/world";
import { Machine } from "./Machine";

export type Buyer = { key: string; label: string; wallet: string; member: string; device: string };

/** Who can pay: each person from each wallet of their groups, and each device of a group by itself. */
export function buyersOf(world: World): Buyer[] {
  const buyers: Buyer[] = [];
  for (const member of world.members) {
    const wallet = world.wallets.find((row) => row.group === member.group);
    if (!wallet) continue;
    const name = member.person !== null ? world.people.get(member.person)?.name : world.devices.get(member.device ?? "")?.name;
    buyers.push({ key: member.id, label: `${name ?? member.id} · ${wallet.name}`, wallet: wallet.id, member: member.id, device: member.device ?? "" });
  }
  return buyers.sort((a, b) => Number(a.device !== "") - Number(b.device !== "") || a.label.localeCompare(b.label));
}

type Props = { api: Api; world: World; buyer: string; onBuyer: (key: string) => void; onPayment: (payment: Payment) => void; onMachine: (machine: SandboxDevice) => void };

export function Machines({ api, world, buyer, onBuyer, onPayment, onMachine }: Props) {
  const { t } = useText();
  const buyers = useMemo(() => buyersOf(world), [world]);
  const chosen = buyers.find((row) => row.key === buyer) ?? buyers[0];
  const car = buyers.find((row) => row.device !== "");

  useEffect(() => { if (chosen && chosen.key !== buyer) onBuyer(chosen.key); }, [chosen, buyer, onBuyer]);

  const selling = world.machines.filter((machine) => (world.slots.get(machine.device)?.length ?? 0) > 0);
  return (
    <div className="stack">
      <Card size="small">
        <label htmlFor="buyer" style={{ marginRight: 12 }}>{t("buyer")}</label>
        <Select id="buyer" aria-label={t("buyer")} style={{ minWidth: 260 }} value={chosen?.key ?? null} onChange={(key: string) => onBuyer(key)}
          options={buyers.map((row) => ({ value: row.key, label: row.label }))} />
      </Card>
      <section aria-label={t("machines")} className="machines">
        {selling.map((machine) => {
          // A gate opens for a car, whoever is chosen.
          const payer = machine.kind === "gate" && car ? car : chosen;
          return payer && <Machine key={machine.device} api={api} world={world} machine={machine} buyer={payer} onPayment={onPayment} onMachine={onMachine} />;
        })}
      </section>
    </div>
  );
}
