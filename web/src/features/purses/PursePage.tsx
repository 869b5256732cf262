import { Alert, Card, Empty } from "antd";

import type { Api } from "../../shared/api";
import { Bar } from "../../shared/Bar";
import { useText, type Key } from "../../shared/i18n";
import { display, minor, sum } from "../../shared/money";
import { deviceOf, holderOf, suiteNames } from "../../shared/purse/names";
import { To } from "../../shared/route";
import { ago, dateTime } from "../../shared/time";
import type { World } from "../../shared/world";
import { useHistory } from "./history";
import { Lost } from "./Lost";
import { Lots } from "./Lots";
import { Changes, Notes } from "./Notes";
import { spentOf, StateTag } from "./words";

export function PursePage({ api, world, number, onChanged }: { api: Api; world: World; number: number; onChanged: () => void }) {
  const { t, language } = useText();
  const purse = world.purses.find((row) => row.ordinal === number);
  const history = useHistory(api, purse, JSON.stringify([purse, world.payments[0]?.updated]));
  if (!purse) return <Card><Empty description={t("noSuchPurse")} /><To route={{ page: "purses" }}>{t("back")}</To></Card>;

  const pending = sum((history?.notes ?? []).filter((note) => note.state === "pending").map((note) => minor(note.amount)));
  const parts = [
    { key: "spent", label: t("spent"), amount: spentOf(purse), look: "pale" as const },
    { key: "loaded", label: t("loaded"), amount: minor(purse.loaded), look: "striped" as const },
    { key: "waiting", label: t("waiting"), amount: minor(purse.on_the_way), look: "dotted" as const },
  ];
  const facts: [string, React.ReactNode][] = [
    [t("holder"), holderOf(world, purse)],
    ...(deviceOf(world, purse) === undefined ? [] : [[t("device"), deviceOf(world, purse)] as [string, React.ReactNode]]),
    [t("assurance"), `${t(`class_${purse.class}` as Key)}, ${suiteNames[purse.suite] ?? ""}`],
    [t("pendingSum"), display(pending, purse.asset)],
    [t("collateral"), display(minor(purse.collateral), purse.asset)],
    [t("lastSync"), purse.last_sync === null ? t("never") : `${dateTime(language, new Date(purse.last_sync))} (${ago(language, new Date(purse.last_sync), new Date())})`],
    [t("enrolledAt"), dateTime(language, new Date(purse.created))],
    [t("key"), <span className="code" key="key">{purse.key}</span>],
  ];
  return (
    <div className="stack">
      <Card size="small" title={<h2 style={{ fontSize: 18, margin: 0 }}>{t("purseNumber", { n: number })} <StateTag purse={purse} /></h2>}
        extra={purse.state !== "lost" && <Lost api={api} purse={purse} onChanged={onChanged} />}>
        <Alert type={purse.state === "active" ? "success" : "warning"} showIcon message={t(`psx_${purse.state}` as Key)} style={{ marginBottom: 12 }}
          action={purse.proven ? <To route={{ page: "trust" }}>{t("seeProof")}</To> : null} />
        <Bar parts={parts} asset={purse.asset} />
        <dl className="facts" style={{ marginTop: 12 }}>
          {facts.map(([name, value]) => [<dt key={`${name} name`}>{name}</dt>, <dd key={name}>{value}</dd>])}
        </dl>
        <p className="reason" style={{ marginBottom: 0 }}>{t("suspectHelp")}</p>
      </Card>
      <div className="columns">
        <Lots purse={purse} />
        <div className="stack">
          <Notes purse={number} notes={history?.notes ?? []} />
          <Changes changes={history?.changes ?? []} />
        </div>
      </div>
    </div>
  );
}
