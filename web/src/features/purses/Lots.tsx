import { Card, Tag } from "antd";

import type { Purse, PurseLot } from "../../shared/api";
import { Bar } from "../../shared/Bar";
import { useText, type Key } from "../../shared/i18n";
import { display, minor, rest } from "../../shared/money";
import { ago, date } from "../../shared/time";

function Lot({ lot }: { lot: PurseLot }) {
  const { t, language } = useText();
  const amount = minor(lot.amount);
  const paid = minor(lot.paid);
  const parts = [
    { key: "paid", label: t("lotPaid"), amount: paid, look: "pale" as const },
    { key: "left", label: t("lotLeft"), amount: rest(amount, paid), look: "striped" as const },
  ];
  const ends = new Date(lot.settle_by);
  return (
    <li>
      <div className="wallet-line">
        <span>
          {t("lot")} {lot.serial} <Tag color={lot.state === "open" ? "green" : "default"}>{t(`lot_${lot.state}` as Key)}</Tag>
          {lot.directed !== 0 && <span className="reason">{t("directedTo", { n: lot.directed })}</span>}
        </span>
        <strong className="money">{display(amount, lot.asset)}</strong>
      </div>
      <Bar parts={parts} asset={lot.asset} label={t("lotBar", { paid: display(paid, lot.asset), amount: display(amount, lot.asset) })} />
      {lot.state === "open" && <div className="reason">{t("lotEnds")} {date(language, ends)} ({ago(language, ends, new Date())})</div>}
    </li>
  );
}

export function Lots({ purse }: { purse: Purse }) {
  const { t } = useText();
  // A certificate of nothing only names the purse.
  const lots = purse.lots.filter((lot) => lot.amount !== "0");
  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("lots")}</h2>} size="small">
      <p className="reason" style={{ marginTop: 0 }}>{lots.length === 0 ? t("noLots") : t("lotsHelp")}</p>
      <ul className="wallets">{lots.map((lot) => <Lot key={lot.serial} lot={lot} />)}</ul>
    </Card>
  );
}
