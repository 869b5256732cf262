import { CarOutlined, CoffeeOutlined, ThunderboltOutlined } from "@ant-design/icons";
import { App, Badge, Button, Card, Segmented, Tooltip } from "antd";
import { useState } from "react";

import { ApiError, type Api, type NewPayment, type Payment, type SandboxDevice, type SandboxFault, type Slot } from "../../shared/api";
import { useText, type Key } from "../../shared/i18n";
import { display, minor } from "../../shared/money";
import type { World } from "../../shared/world";
import type { Buyer } from "./Machines";

const icons: Partial<Record<SandboxDevice["kind"], React.ReactNode>> = {
  vending: <CoffeeOutlined />, gate: <CarOutlined />, charger: <ThunderboltOutlined />,
};

function paymentFor(buyer: Buyer, machine: string, slot: number): NewPayment {
  return buyer.device !== ""
    ? { kind: "device", payer_device: buyer.device, device: machine, slot, quantity: 1 }
    : { kind: "machine", payer_wallet: buyer.wallet, payer_member: buyer.member, device: machine, slot, quantity: 1 };
}

type Props = { api: Api; world: World; machine: SandboxDevice; buyer: Buyer; onPayment: (payment: Payment) => void; onMachine: (machine: SandboxDevice) => void };

export function Machine({ api, world, machine, buyer, onPayment, onMachine }: Props) {
  const { t, language } = useText();
  const { message } = App.useApp();
  const [busy, setBusy] = useState<number>();

  const buy = async (slot: Slot) => {
    setBusy(slot.slot);
    try {
      onPayment(await api.pay(paymentFor(buyer, machine.device, slot.slot)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.payment) onPayment(error.payment);
      const reason = `r_${error.code}` as Key;
      void message.warning(error.status === 0 ? t("unreachable") : t(reason) || error.message);
    } finally {
      setBusy(undefined);
    }
  };
  const setFault = async (fault: SandboxFault) => {
    try {
      onMachine(await api.setFault(machine.device, fault));
    } catch (error) {
      if (error instanceof ApiError) void message.error(error.message === "" ? t("unreachable") : error.message);
    }
  };
  const nameOf = (slot: Slot) => {
    const product = world.products.get(slot.product);
    return (language === "zh" && product?.name_zh ? product.name_zh : product?.name) ?? `#${slot.slot}`;
  };

  return (
    <Card size="small"
      title={<h2 style={{ fontSize: 15, margin: 0 }}>{icons[machine.kind]} {machine.name}</h2>}
      extra={<Badge status={machine.online ? "success" : "default"} text={machine.online ? t("online") : t("offline")} />}>
      <div className="products">
        {(world.slots.get(machine.device) ?? []).map((slot) => (
          <Button key={slot.slot} loading={busy === slot.slot} onClick={() => void buy(slot)}>
            <span>{nameOf(slot)}</span><span className="money">{display(minor(slot.price), slot.asset)}</span>
          </Button>
        ))}
      </div>
      {buyer.device !== "" && <p className="reason">{t("payWithCar")}</p>}
      <Tooltip title={t("behaviourHelp")}>
        <Segmented<SandboxFault> block size="small" aria-label={`${t("behaviour")}: ${machine.name}`} name={`fault-${machine.device}`} value={machine.fault} onChange={(fault) => void setFault(fault)}
          options={[{ value: "none", label: t("works") }, { value: "fail_drop", label: t("failDrop") }, { value: "silent", label: t("silent") }]} />
      </Tooltip>
    </Card>
  );
}
