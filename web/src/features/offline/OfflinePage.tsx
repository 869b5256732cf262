import { Alert, App, Button, Card, Empty, Input, Skeleton, Table, Tag } from "antd";
import type { JournalPayment } from "jiaozi-purse";
import { useCallback, useEffect, useState } from "react";

import type { Api } from "../../shared/api";
import { Bar } from "../../shared/Bar";
import { useText, type Key } from "../../shared/i18n";
import { display, minor, parse } from "../../shared/money";
import type { LocalState } from "../../shared/purse/local";
import { dateTime } from "../../shared/time";
import type { World } from "../../shared/world";
import { NewPurse } from "./NewPurse";
import { Pay } from "./Pay";
import { Receive } from "./Receive";
import { Remove } from "./Remove";
import { explain, load, local, sync, type LocalPurse } from "./session";

const m = (amount: bigint) => minor(amount.toString());
const colours: Readonly<Record<JournalPayment["state"], string>> = { unknown: "gold", done: "blue", voided: "purple", settled: "green" };

function Payments({ purse, onAsk }: { purse: LocalPurse; onAsk: () => void }) {
  const { t, language } = useText();
  const stateKey = (row: JournalPayment) => (row.state === "done" ? `jp_done_${row.direction}` : `jp_${row.state}`) as Key;
  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("payments_local")}</h2>} size="small"
      extra={purse.info.paymentsUnknown > 0 && <Button size="small" onClick={onAsk}>{t("askAgain")}</Button>}>
      <Table<JournalPayment>
        size="small" rowKey={(row) => `${row.note} ${row.direction}`} dataSource={[...purse.journal.payments]} pagination={{ pageSize: 10, hideOnSinglePage: true, showSizeChanger: false }}
        locale={{ emptyText: <Empty description={t("noLocalPayments")} /> }}
        columns={[
          { title: t("time"), render: (_, row) => <span className="quiet money">{dateTime(language, new Date(row.time * 1000))}</span> },
          { title: t("direction"), render: (_, row) => (row.peer === 0 ? t("peerSomebody") : t(row.direction === "paid" ? "paidTo" : "receivedFrom", { n: row.peer })) },
          { title: t("amount"), align: "right", render: (_, row) => <span className="money">{row.direction === "paid" ? "−" : "+"}{display(m(row.amount), purse.asset)}</span> },
          { title: t("state"), render: (_, row) => <Tag color={colours[row.state]}>{t(stateKey(row))}</Tag> },
        ]}
      />
    </Card>
  );
}

type Talk = { what: "receive" } | { what: "pay"; asking?: Uint8Array };

function Held({ api, world, purse, onChanged }: { api: Api; world: World | undefined; purse: LocalPurse; onChanged: () => void }) {
  const { t } = useText();
  const { message } = App.useApp();
  const [talk, setTalk] = useState<Talk>();
  const [busy, setBusy] = useState(false);
  const [amount, setAmount] = useState("");
  const { info, asset } = purse;
  const parts = [
    { key: "spendable", label: t("canSpend"), amount: m(info.spendable), look: "solid" as const },
    { key: "unknown", label: t("sentUnknown"), amount: m(info.unknown), look: "striped" as const },
    { key: "void", label: t("voidHeldPart"), amount: m(info.voidHeld), look: "pale" as const },
  ];
  const attempt = (work: () => Promise<string>) => {
    setBusy(true);
    work().then((said) => void message.success(said), (error: unknown) => void message.error(explain(error, t))).finally(() => { setBusy(false); onChanged(); });
  };
  const synced = async () => {
    const { handedIn, refused } = await sync(api);
    return refused.length > 0 ? t("syncRefused", { why: refused.map((reason) => t(`q_${reason}` as Key)).join("; ") }) : t("syncDone", { n: handedIn });
  };
  const loaded = async (digits: bigint | undefined) => {
    if (digits === undefined) throw new Error(t("amountWrong"));
    await load(api, purse.purse, asset, digits);
    setAmount("");
    return t("loadDone");
  };
  const ask = async () => {
    const asking = await local().call("resume", 0);
    if (asking) setTalk({ what: "pay", asking });
  };
  const wallet = world?.wallets.find((row) => row.id === purse.wallet)?.name;

  return (
    <div className="columns">
      <div className="stack">
        <Card size="small" title={<h2 style={{ fontSize: 18, margin: 0 }}>{t("offlineTitle")}: {t("peerOf", { n: purse.purse })}</h2>} extra={wallet}>
          <Alert type={info.state === "active" ? "success" : "warning"} showIcon message={t(`os_${info.state}`)} style={{ marginBottom: 12 }} />
          <Bar parts={parts} asset={asset} />
          <dl className="facts" style={{ marginTop: 12 }}>
            <dt>{t("receivedPart")}</dt><dd className="money">{display(m(info.received), asset)}</dd>
          </dl>
          <div className="row" style={{ marginTop: 12 }}>
            <Button type="primary" onClick={() => setTalk({ what: "pay" })}>{t("payButton")}</Button>
            <Button type="primary" onClick={() => setTalk({ what: "receive" })}>{t("receive")}</Button>
            <Button loading={busy} onClick={() => attempt(synced)}>{t("syncButton")}</Button>
          </div>
          {purse.loading ? (
            <p>{t("loadWaits", { amount: display(minor(purse.loading.amount), asset) })} <Button size="small" onClick={() => attempt(() => loaded(BigInt(purse.loading?.amount ?? 0)))}>{t("loadAgain")}</Button></p>
          ) : (
            <div className="row" style={{ marginTop: 12 }}>
              <Input aria-label={t("offlineAmount")} inputMode="decimal" placeholder="20.00" value={amount} suffix={asset} onChange={(event) => setAmount(event.target.value)} style={{ maxWidth: 160 }} />
              <Button onClick={() => attempt(() => loaded(parse(amount, asset)))}>{t("loadButton")}</Button>
            </div>
          )}
        </Card>
        <Payments purse={purse} onAsk={() => void ask()} />
        <div><Remove purse={purse} onRemoved={onChanged} /></div>
      </div>
      <div>
        {talk && (
          <Card size="small" title={<h2 style={{ fontSize: 16, margin: 0 }}>{t(talk.what === "pay" ? "payButton" : "receive")}</h2>}>
            {talk.what === "receive" && <Receive asset={asset} onChanged={onChanged} onClose={() => setTalk(undefined)} />}
            {talk.what === "pay" && <Pay asking={talk.asking} onChanged={onChanged} onClose={() => setTalk(undefined)} />}
          </Card>
        )}
        {!talk && <p className="quiet">{t("offlineHelp")}</p>}
      </div>
    </div>
  );
}

export function OfflinePage({ api, world }: { api: Api; world: World | undefined }) {
  const { t } = useText();
  const [state, setState] = useState<LocalState>();
  const [failure, setFailure] = useState("");
  const refresh = useCallback(() => {
    local().call("state").then((read) => { setState(read); setFailure(""); }, (error: unknown) => setFailure(explain(error, t)));
  }, [t]);
  useEffect(refresh, [refresh]);

  if (failure !== "") return <Alert type="warning" showIcon message={failure} />;
  if (!state) return <Skeleton active />;
  if (state.there !== "purse") return <NewPurse api={api} world={world} begun={state.there === "key"} onMade={refresh} />;
  return <Held api={api} world={world} purse={state} onChanged={refresh} />;
}
