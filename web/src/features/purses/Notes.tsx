import { Card, Empty, Table, Tag } from "antd";

import { useText, type Key } from "../../shared/i18n";
import { display, minor } from "../../shared/money";
import { To } from "../../shared/route";
import { dateTime } from "../../shared/time";
import type { Note, PurseChange } from "./history";

const colours: Readonly<Record<Note["state"], string>> = { pending: "gold", settled: "green", voided: "purple", lapsed: "default", reversed: "red" };

export function Notes({ purse, notes }: { purse: number; notes: Note[] }) {
  const { t, language } = useText();
  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("notes")}</h2>} size="small">
      {notes.some((note) => note.state === "pending") && <p className="reason" style={{ marginTop: 0 }}>{t("pendingHelp")}</p>}
      <Table<Note>
        size="small" rowKey="id" dataSource={notes} pagination={{ pageSize: 12, hideOnSinglePage: true, showSizeChanger: false }}
        locale={{ emptyText: <Empty description={t("noNotes")} /> }}
        columns={[
          { title: t("time"), render: (_, row) => <span className="quiet money">{dateTime(language, new Date(row.updated))}</span> },
          {
            title: t("direction"),
            render: (_, row) => {
              const other = row.payer === purse ? row.payee : row.payer;
              return <To route={{ page: "purse", purse: other }}>{t(row.payer === purse ? "paidTo" : "receivedFrom", { n: other })}</To>;
            },
          },
          { title: t("amount"), align: "right", render: (_, row) => <span className="money">{row.payer === purse ? "−" : "+"}{display(minor(row.amount), row.asset)}</span> },
          { title: t("state"), render: (_, row) => <Tag color={colours[row.state]}>{t(`ns_${row.state}` as Key)}</Tag> },
        ]}
      />
    </Card>
  );
}

export function Changes({ changes }: { changes: PurseChange[] }) {
  const { t, language } = useText();
  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("history")}</h2>} size="small">
      <table className="plain-table">
        <tbody>
          {changes.map((change) => (
            <tr key={change.id}>
              <td className="quiet money">{dateTime(language, new Date(change.updated))}</td>
              <td>{t(`he_${change.type.replace("purse.", "")}` as Key, { amount: change.amount === undefined ? "" : display(minor(change.amount), change.asset) })}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
