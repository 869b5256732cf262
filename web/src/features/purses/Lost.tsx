// Reporting a purse as lost cannot be undone: what it means is read, and agreed to, before the button works.
import { App, Button, Checkbox, Modal } from "antd";
import { useState } from "react";

import { ApiError, type Api, type Purse } from "../../shared/api";
import { useText } from "../../shared/i18n";
import { display, minor } from "../../shared/money";
import { date } from "../../shared/time";
import { lastEnd } from "./words";

export function Lost({ api, purse, onChanged }: { api: Api; purse: Purse; onChanged: () => void }) {
  const { t, language } = useText();
  const { message } = App.useApp();
  const [open, setOpen] = useState(false);
  const [agreed, setAgreed] = useState(false);
  const [busy, setBusy] = useState(false);
  const end = lastEnd(purse);

  const declare = async () => {
    setBusy(true);
    try {
      await api.declareLost(purse.ordinal);
      setOpen(false);
      onChanged();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      void message.error(error.message === "" ? t("unreachable") : error.message);
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <Button danger onClick={() => { setAgreed(false); setOpen(true); }}>{t("declareLost")}</Button>
      <Modal open={open} title={t("lostTitle", { n: purse.ordinal })} onCancel={() => setOpen(false)}
        footer={[
          <Button key="cancel" onClick={() => setOpen(false)}>{t("cancel")}</Button>,
          <Button key="lost" danger type="primary" disabled={!agreed} loading={busy} onClick={() => void declare()}>{t("lostButton")}</Button>,
        ]}>
        <ul style={{ paddingLeft: 20 }}>
          <li>{t("lost_1")}</li>
          <li>{t("lost_2")}</li>
          <li>{end === undefined ? t("lost_3_none") : t("lost_3", { amount: display(minor(purse.loaded), purse.asset), date: date(language, end) })}</li>
          <li>{t("lost_4")}</li>
        </ul>
        <Checkbox checked={agreed} onChange={(event) => setAgreed(event.target.checked)}>{t("lost_agree")}</Checkbox>
      </Modal>
    </>
  );
}
