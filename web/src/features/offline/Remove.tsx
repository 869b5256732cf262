// Removes the purse from this browser: at once when nothing is in it, and otherwise only for somebody who has read what goes with it and types its number.
import { Alert, App, Button, Input, Modal } from "antd";
import { useState } from "react";

import { useText } from "../../shared/i18n";
import { display, minor } from "../../shared/money";
import { explain, local, type LocalPurse } from "./session";

export function Remove({ purse, onRemoved }: { purse: LocalPurse; onRemoved: () => void }) {
  const { t } = useText();
  const { message } = App.useApp();
  const [asked, setAsked] = useState(false);
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const { info, asset } = purse;
  const shown = (amount: bigint) => display(minor(amount.toString()), asset);
  const holds = [
    info.spendable > 0n && t("rm_spendable", { amount: shown(info.spendable) }),
    info.received > 0n && t("rm_received", { amount: shown(info.received) }),
    info.unknown > 0n && t("rm_unknown", { amount: shown(info.unknown) }),
    info.voidHeld > 0n && t("rm_voidHeld", { amount: shown(info.voidHeld) }),
    purse.journal.items.length > 0 && t("rm_items", { n: purse.journal.items.length }),
    purse.loading !== undefined && t("rm_loading"),
  ].filter((line) => line !== false);
  const sure = holds.length === 0 || typed.trim() === String(purse.purse);
  const close = () => { setAsked(false); setTyped(""); };
  const remove = () => {
    setBusy(true);
    local().call("remove", typed.trim()).then(() => { close(); onRemoved(); }, (error: unknown) => void message.error(explain(error, t))).finally(() => setBusy(false));
  };
  return (
    <>
      <Button danger onClick={() => setAsked(true)}>{t("rm_button")}</Button>
      <Modal open={asked} title={t("rm_title", { n: purse.purse })} onCancel={close} onOk={remove} okText={t("rm_ok")} cancelText={t("close")} okButtonProps={{ danger: true, disabled: !sure, loading: busy }}>
        {holds.length === 0 ? <p>{t("rm_empty")}</p> : (
          <div className="stack">
            <Alert type="warning" showIcon message={t("rm_holds")} description={<ul style={{ margin: 0, paddingInlineStart: 18 }}>{holds.map((line) => <li key={line}>{line}</li>)}</ul>} />
            <p>{t("rm_after")}</p>
            <label>{t("rm_type", { n: purse.purse })} <Input aria-label={t("rm_number")} inputMode="numeric" value={typed} onChange={(event) => setTyped(event.target.value)} style={{ maxWidth: 160 }} /></label>
          </div>
        )}
      </Modal>
    </>
  );
}
