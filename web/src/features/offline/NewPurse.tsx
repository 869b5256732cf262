import { Alert, Button, Card, Input, Select } from "antd";
import { useState } from "react";

import type { Api } from "../../shared/api";
import { useText } from "../../shared/i18n";
import { parse } from "../../shared/money";
import type { World } from "../../shared/world";
import { enrol, explain, load, local } from "./session";

/** `begun`: there is a key already, and the enrolment was cut off. */
export function NewPurse({ api, world, begun, onMade }: { api: Api; world: World | undefined; begun: boolean; onMade: () => void }) {
  const { t } = useText();
  const wallets = (world?.wallets ?? []).filter((wallet) => wallet.group !== null);
  const [chosen, setChosen] = useState<string>();
  const [amount, setAmount] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const wallet = wallets.find((row) => row.id === chosen) ?? wallets[0];

  const make = async () => {
    if (!wallet) return setFailure(t("offlineNeedsNetwork"));
    const wanted = amount.trim() === "" || amount.trim() === "0" ? 0n : parse(amount, wallet.asset);
    if (wanted === undefined) return setFailure(t("amountWrong"));
    setBusy(true);
    setFailure("");
    try {
      await enrol(api, wallet.id, wallet.asset);
      const state = await local().call("state");
      if (state.there === "purse") await load(api, state.purse, state.asset, wanted);
      onMade();
    } catch (error) {
      setFailure(explain(error, t));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("offlineMake")}</h2>} size="small" style={{ maxWidth: 640 }}>
      <p className="quiet" style={{ marginTop: 0 }}>{t("offlineHelp")}</p>
      <p className="reason">{t("offlineMakeHelp")}</p>
      {failure !== "" && <Alert type="warning" showIcon message={failure} style={{ marginBottom: 12 }} />}
      <div className="row">
        <Select aria-label={t("offlineWallet")} style={{ minWidth: 220 }} value={wallet?.id ?? null} onChange={(id: string) => setChosen(id)} options={wallets.map((row) => ({ value: row.id, label: row.name }))} />
        <Input aria-label={t("offlineAmount")} placeholder={t("offlineAmountHelp")} inputMode="decimal" value={amount} suffix={wallet?.asset} onChange={(event) => setAmount(event.target.value)} style={{ maxWidth: 260 }} />
        <Button type="primary" loading={busy} disabled={!wallet} onClick={() => void make()}>{t(begun ? "offlineFinish" : "offlineMakeButton")}</Button>
      </div>
    </Card>
  );
}
