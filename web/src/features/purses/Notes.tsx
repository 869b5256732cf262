import { Card, Empty, Table, Tag } from "antd";

import { useText, type Key } from "../../shared/i18n";
import { display, minor } from "../../shared/money";
import { noteColours } from "../../shared/purse/names";
import { To } from "../../shared/route";
import { dateTime } from "../../shared/time";
import type { Note, PurseChange } from "./history";

function NoteState({ note }: { note: Note }) {
  const { t } = useText();
  return (
    <>
      <Tag color={noteColours[note.offline.state]}>{t(`ns_${note.offline.state}` as Key)}</Tag>
      {note.offline.owed !== "0" && <div className="reason">{t("stillOwed", { amount: display(minor(note.offline.owed), note.asset) })}</div>}
    </>
  );
}

export function Notes({ purse, notes }: { purse: number; notes: Note[] }) {
  const { t, language } = useText();
  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("notes")}</h2>} size="small">
      {notes.some((note) => note.state === "pending") && <p className="reason" style={{ marginTop: 0 }}>{t("pendingHelp")}</p>}
      <Table<Note>
        size="small" rowKey="id" dataSource={notes} pagination={{ pageSize: 12, hideOnSinglePage: true, showSizeChanger: false }}
        locale={{ emptyText: <Empty description={t("noNotes")} /> }}
        columns={[
          { title: t("time"), render: (_, row) => <span className="quiet money">{dateTime(language, new Date(row.offline.made ?? row.created))}</span> },
          {
            title: t("direction"),
            render: (_, { offline }) => {
              const paid = offline.payer_purse === purse;
              const other = paid ? offline.payee_purse : offline.payer_purse;
              return <To route={{ page: "purse", purse: other }}>{t(paid ? "paidTo" : "receivedFrom", { n: other })}</To>;
            },
          },
          { title: t("amount"), align: "right", render: (_, row) => <span className="money">{row.offline.payer_purse === purse ? "−" : "+"}{display(minor(row.amount), row.asset)}</span> },
          { title: t("state"), render: (_, row) => <NoteState note={row} /> },
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
