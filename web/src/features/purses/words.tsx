// What a purse is called and how it stands, in words a person uses.
import { Tag } from "antd";

import type { Purse } from "../../shared/api";
import { useText, type Key } from "../../shared/i18n";
import { minor, sum, type Minor } from "../../shared/money";

/** Paid out of the lots that are open. */
export function spentOf(purse: Purse): Minor {
  return sum(purse.lots.filter((lot) => lot.state === "open").map((lot) => minor(lot.paid)));
}

/** When the last of its open lots ends. */
export function lastEnd(purse: Purse): Date | undefined {
  const ends = purse.lots.filter((lot) => lot.state === "open" && lot.paid !== lot.amount).map((lot) => new Date(lot.settle_by));
  return ends.length === 0 ? undefined : new Date(Math.max(...ends.map((end) => end.getTime())));
}

const colours: Readonly<Record<Purse["state"], string>> = { active: "green", frozen: "red", lost: "purple" };

export function StateTag({ purse }: { purse: Purse }) {
  const { t } = useText();
  return (
    <>
      <Tag color={colours[purse.state]}>{t(`ps_${purse.state}` as Key)}</Tag>
      {purse.proven && <Tag color="red">{t("ps_proven")}</Tag>}
    </>
  );
}
