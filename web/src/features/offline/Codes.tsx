// A message as codes, shown one after the other; it can stand still, and go on by hand.
import { App, Button, QRCode } from "antd";
import { splitForQr } from "jiaozi-purse";
import { useEffect, useMemo, useState } from "react";

import { useText } from "../../shared/i18n";

const eachFor = 700; // ms

export function Codes({ message }: { message: Uint8Array }) {
  const { t } = useText();
  const { message: notice } = App.useApp();
  const parts = useMemo(() => splitForQr(message), [message]);
  const [at, setAt] = useState(0);
  const [moving, setMoving] = useState(true);

  useEffect(() => setAt(0), [parts]);
  useEffect(() => {
    if (!moving || parts.length === 1) return;
    const timer = setInterval(() => setAt((index) => (index + 1) % parts.length), eachFor);
    return () => clearInterval(timer);
  }, [moving, parts]);

  const shown = Math.min(at, parts.length - 1);
  const copy = () => {
    void navigator.clipboard.writeText(parts.join("\n")).then(() => notice.success(t("copied")), (error: unknown) => notice.error(String(error)));
  };
  return (
    <div className="codes">
      <figure role="img" aria-label={t("codeOf", { i: shown + 1, n: parts.length })} data-part={shown + 1} data-parts={parts.length}>
        <div aria-hidden><QRCode type="svg" value={parts[shown] ?? ""} errorLevel="M" size={280} bgColor="#ffffff" color="#000000" /></div>
      </figure>
      <p className="quiet">{t("codeOf", { i: shown + 1, n: parts.length })}. {t("codesHelp")}</p>
      <div className="row">
        {parts.length > 1 && <Button size="small" onClick={() => setMoving(!moving)}>{t(moving ? "pause" : "play")}</Button>}
        {parts.length > 1 && <Button size="small" onClick={() => { setMoving(false); setAt((shown + 1) % parts.length); }}>{t("next")}</Button>}
        <Button size="small" onClick={copy}>{t("copyText")}</Button>
      </div>
    </div>
  );
}
