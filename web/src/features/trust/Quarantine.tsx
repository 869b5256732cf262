import { Card, Empty, Table } from "antd";

import type { QuarantinedItem } from "../../shared/api";
import { fromBase64 } from "../../shared/bytes";
import { useText, type Key } from "../../shared/i18n";
import { To } from "../../shared/route";
import { dateTime } from "../../shared/time";

type Row = QuarantinedItem & { key: string };

function beginning(item: string): string {
  const bytes = fromBase64(item);
  return Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("") + (bytes.length > 16 ? "…" : "");
}

/** `items` undefined: the key may not see them. */
export function Quarantine({ items }: { items: QuarantinedItem[] | undefined }) {
  const { t, language } = useText();
  const rows = items?.map((item, i): Row => ({ ...item, key: `${item.at} ${i}` }));
  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("quarantine")}</h2>} size="small">
      <p className="reason" style={{ marginTop: 0 }}>{t("quarantineHelp")}</p>
      {!rows ? <p>{t("operatorOnly")}</p> : (
        <Table<Row>
          size="small" rowKey="key" dataSource={rows} pagination={{ pageSize: 12, hideOnSinglePage: true, showSizeChanger: false }}
          locale={{ emptyText: <Empty description={t("noQuarantine")} /> }}
          columns={[
            { title: t("time"), render: (_, row) => <span className="quiet money">{dateTime(language, new Date(row.at))}</span> },
            { title: t("handedInBy"), render: (_, row) => (row.purse === 0 ? t("nobody") : <To route={{ page: "purse", purse: row.purse }}>{t("purseNumber", { n: row.purse })}</To>) },
            { title: t("reason"), render: (_, row) => t(`q_${row.reason}` as Key) },
            { title: t("begins"), render: (_, row) => <span className="code">{beginning(row.item)}</span> },
          ]}
        />
      )}
    </Card>
  );
}
