import { Card, Statistic } from "antd";

import type { Overview } from "../../shared/api";
import { useText, type Key } from "../../shared/i18n";
import { display, minor } from "../../shared/money";

function sum(sums: { asset: string; amount: string }[]): string {
  return sums.length === 0 ? "–" : sums.map((part) => display(minor(part.amount), part.asset)).join(" + ");
}

export function Figures({ overview }: { overview: Overview }) {
  const { t } = useText();
  const count = (...states: string[]) => overview.payments.filter((row) => states.includes(row.state)).reduce((total, row) => total + row.count, 0);
  const figures: [Key, string | number][] = [
    ["captured", sum(overview.captured)],
    ["kept", count("pending", "authorized")],
    ["returned", count("voided")],
    ["refused", count("declined", "failed")],
  ];
  return (
    <section aria-label={t("today")} className="figures">
      {figures.map(([key, value]) => (
        <Card key={key} size="small"><Statistic title={`${t("today")} · ${t(key)}`} value={value} /></Card>
      ))}
    </section>
  );
}
