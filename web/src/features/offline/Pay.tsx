// Paying: a request is read and agreed to, the payment is shown, the receipt is read. `asking`: what became of an earlier one.
import { Alert, Button } from "antd";
import type { Offer } from "jiaozi-purse";
import { useCallback, useState } from "react";

import { useText } from "../../shared/i18n";
import { display, minor } from "../../shared/money";
import { Codes } from "./Codes";
import { Reader } from "./Reader";
import { explain, local, statusText } from "./session";

type Step =
  | { at: "reading" }
  | { at: "offered"; request: Uint8Array; offer: Offer }
  | { at: "sent"; show: Uint8Array; note: string }
  | { at: "paid" }
  | { at: "voided" };

const requestVerb = 1;

export function Pay({ asking, onChanged, onClose }: { asking?: Uint8Array | undefined; onChanged: () => void; onClose: () => void }) {
  const { t } = useText();
  const [step, setStep] = useState<Step>(asking ? { at: "sent", show: asking, note: "" } : { at: "reading" });
  const [failure, setFailure] = useState("");
  const failed = useCallback((error: unknown) => setFailure(t("py_refused", { why: explain(error, t) })), [t]);

  const hear = useCallback((message: Uint8Array) => {
    setFailure("");
    if (message[0] === requestVerb) {
      local().call("look", message).then((offer) => setStep((before) => (before.at === "sent" ? before : { at: "offered", request: message, offer })), failed);
      return;
    }
    local().call("receive", message).then(({ status, answer, outcome }) => {
      setStep((before) => {
        if (outcome === "paid" || outcome === "voided") return { at: outcome };
        if (before.at !== "sent") return before;
        const note = status === "ok" ? t(answer ? "heardMore" : "py_unknown") : statusText(status, t);
        return { ...before, show: answer ?? before.show, note };
      });
      onChanged();
    }, failed);
  }, [failed, onChanged, t]);
  const agree = (request: Uint8Array) => {
    local().call("pay", request).then((show) => { setStep({ at: "sent", show, note: "" }); onChanged(); }, failed);
  };
  const money = ({ amount, asset }: Offer) => display(minor(amount.toString()), asset);

  return (
    <div className="stack" aria-live="polite">
      {failure !== "" && <Alert type="warning" showIcon message={failure} />}
      {step.at === "reading" && <><Alert type="info" message={t("py_read")} /><Reader onMessage={hear} /></>}
      {step.at === "offered" && (
        <>
          <strong>{t("py_offer", { amount: money(step.offer), n: step.offer.payee })}</strong>
          <div className="row"><Button type="primary" onClick={() => agree(step.request)}>{t("py_confirm", { amount: money(step.offer) })}</Button></div>
        </>
      )}
      {step.at === "sent" && (
        <>
          <Alert type="info" message={step.note === "" ? t("py_sent") : step.note} />
          <div className="talk"><Codes message={step.show} /><Reader onMessage={hear} /></div>
        </>
      )}
      {step.at === "paid" && <Alert type="success" showIcon message={t("py_paid")} />}
      {step.at === "voided" && <Alert type="info" showIcon message={t("py_voided")} />}
      <div className="row"><Button onClick={onClose}>{t(step.at === "paid" ? "done" : "close")}</Button></div>
    </div>
  );
}
