// Receiving: a request is shown, an answer is read, a receipt is shown.
import { Alert, Button, Input } from "antd";
import { useCallback, useState } from "react";

import { useText } from "../../shared/i18n";
import { display, minor, parse } from "../../shared/money";
import { Codes } from "./Codes";
import { Reader } from "./Reader";
import { explain, local, statusText } from "./session";

type Step =
  | { at: "asking" }
  | { at: "waiting"; nonce: Uint8Array; show: Uint8Array; note: string }
  | { at: "credited"; show: Uint8Array }
  | { at: "answering"; show: Uint8Array | undefined }
  | { at: "voided"; show: Uint8Array };

export function Receive({ asset, onChanged, onClose }: { asset: string; onChanged: () => void; onClose: () => void }) {
  const { t } = useText();
  const [amount, setAmount] = useState("");
  const [step, setStep] = useState<Step>({ at: "asking" });
  const [failure, setFailure] = useState("");
  const shown = () => { const entered = parse(amount, asset); return entered === undefined ? "" : display(minor(entered.toString()), asset); };

  const attempt = (work: () => Promise<void>) => { setFailure(""); work().then(onChanged, (error: unknown) => setFailure(explain(error, t))); };
  const ask = () => attempt(async () => {
    const wanted = parse(amount, asset);
    if (wanted === undefined) return setFailure(t("amountWrong"));
    const { nonce, message } = await local().call("request", wanted);
    setStep({ at: "waiting", nonce, show: message, note: "" });
  });
  const hear = useCallback((message: Uint8Array) => {
    local().call("receive", message).then(({ status, answer, outcome }) => {
      setStep((before) => {
        if (before.at === "answering") return answer ? { at: "answering", show: answer } : before;
        if (before.at !== "waiting") return before;
        if (outcome === "credited" && answer) return { at: "credited", show: answer };
        return { ...before, show: answer ?? before.show, note: status === "ok" ? t("heardMore") : t("rc_refused", { why: statusText(status, t) }) };
      });
      onChanged();
    }, (error: unknown) => setFailure(explain(error, t)));
  }, [onChanged, t]);
  const giveUp = (nonce: Uint8Array) => attempt(async () => setStep({ at: "voided", show: await local().call("giveUp", nonce) }));

  return (
    <div className="stack" aria-live="polite">
      {failure !== "" && <Alert type="warning" showIcon message={failure} />}
      {step.at === "asking" && (
        <div className="row">
          <Input aria-label={t("amount")} placeholder="3.50" inputMode="decimal" value={amount} suffix={asset} onChange={(event) => setAmount(event.target.value)} onPressEnter={ask} style={{ maxWidth: 200 }} />
          <Button type="primary" onClick={ask}>{t("receive")}</Button>
          <Button onClick={() => setStep({ at: "answering", show: undefined })}>{t("answerAsked")}</Button>
        </div>
      )}
      {step.at === "answering" && (
        <>
          <Alert type="info" message={t(step.show ? "answerShow" : "answerRead")} />
          <div className="talk">{step.show && <Codes message={step.show} />}<Reader onMessage={hear} /></div>
        </>
      )}
      {step.at === "waiting" && (
        <>
          <strong>{shown()}</strong>
          <Alert type={step.note === "" ? "info" : "warning"} message={step.note === "" ? t("rc_show") : step.note} />
          <div className="talk"><Codes message={step.show} /><Reader onMessage={hear} /></div>
          <div className="row"><Button onClick={() => giveUp(step.nonce)}>{t("giveUp")}</Button></div>
        </>
      )}
      {step.at === "credited" && <><Alert type="success" showIcon message={t("rc_credited", { amount: shown() })} /><Codes message={step.show} /></>}
      {step.at === "voided" && <><Alert type="info" showIcon message={t("rc_voided")} /><Codes message={step.show} /></>}
      <div className="row"><Button onClick={onClose}>{t(step.at === "credited" || (step.at === "answering" && step.show) ? "done" : "close")}</Button></div>
    </div>
  );
}
