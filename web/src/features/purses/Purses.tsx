import { Card, Empty, Table } from "antd";

import type { Purse } from "../../shared/api";
import { Bar } from "../../shared/Bar";
import { useText, type Key } from "../../shared/i18n";
import { display, minor } from "../../shared/money";
import { deviceOf, holderOf, suiteNames } from "../../shared/purse/names";
import { To } from "../../shared/route";
import { ago } from "../../shared/time";
import type { World } from "../../shared/world";
import { spentOf, StateTag } from "./words";

function LoadedBar({ purse }: { purse: Purse }) {
  const { t } = useText();
  const parts = [
    { key: "spent", label: t("spent"), amount: spentOf(purse), look: "pale" as const },
    { key: "loaded", label: t("loaded"), amount: minor(purse.loaded), look: "striped" as const },
    { key: "waiting", label: t("waiting"), amount: minor(purse.on_the_way), look: "dotted" as const },
  ];
  return <div style={{ width: 120 }}><Bar parts={parts} asset={purse.asset} legend={false} /></div>;
}

export function Purses({ world }: { world: World }) {
  const { t, language } = useText();
  const amount = (digits: string, asset: string) => <span className="money">{digits === "0" ? "–" : display(minor(digits), asset)}</span>;
  const now = new Date();
  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("purses")}</h2>} size="small">
      <p className="quiet" style={{ marginTop: 0 }}>{t("pursesHelp")}</p>
      <Table<Purse>
        size="small" rowKey="ordinal" dataSource={world.purses} pagination={{ pageSize: 20, hideOnSinglePage: true, showSizeChanger: false }} scroll={{ x: "max-content" }}
        locale={{ emptyText: <Empty description={t("noPurses")} /> }}
        columns={[
          { title: t("number"), render: (_, row) => <To route={{ page: "purse", purse: row.ordinal }}>{t("purseNumber", { n: row.ordinal })}</To> },
          { title: t("state"), render: (_, row) => <StateTag purse={row} /> },
          {
            title: t("holder"),
            render: (_, row) => <>{holderOf(world, row)}{deviceOf(world, row) !== undefined && <div className="reason">{deviceOf(world, row)}</div>}</>,
          },
          { title: t("suite"), render: (_, row) => <>{suiteNames[row.suite]}<div className="reason">{t(`class_${row.class}` as Key)}</div></> },
          { title: t("balance"), render: (_, row) => <LoadedBar purse={row} /> },
          { title: t("loaded"), align: "right", render: (_, row) => amount(row.loaded, row.asset) },
          { title: t("spent"), align: "right", render: (_, row) => amount(spentOf(row).toString(), row.asset) },
          { title: t("part_on_the_way"), align: "right", render: (_, row) => amount(row.on_the_way, row.asset) },
          { title: t("lastSync"), render: (_, row) => <span className="quiet">{row.last_sync === null ? t("never") : ago(language, new Date(row.last_sync), now)}</span> },
        ]}
      />
      <p className="reason">{t("suspectHelp")}</p>
    </Card>
  );
}
