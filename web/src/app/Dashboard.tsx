import { GlobalOutlined } from "@ant-design/icons";
import { Alert, App as AntApp, Badge, Button, Skeleton } from "antd";
import { useEffect, useState } from "react";

import { Machines } from "../features/machines/Machines";
import { OfflinePage } from "../features/offline/OfflinePage";
import { Figures } from "../features/overview/Figures";
import { Payments } from "../features/payments/Payments";
import { PursePage } from "../features/purses/PursePage";
import { Purses } from "../features/purses/Purses";
import { TrustPage } from "../features/trust/TrustPage";
import { Wallets } from "../features/wallets/Wallets";
import type { Api } from "../shared/api";
import { useText, type Key } from "../shared/i18n";
import { To, useRoute, type Route } from "../shared/route";
import { useWorld } from "../shared/world";

const pages: [Route, Key][] = [[{ page: "home" }, "nav_home"], [{ page: "purses" }, "nav_purses"], [{ page: "offline" }, "nav_offline"], [{ page: "trust" }, "nav_trust"]];

export function Dashboard({ api, onLanguage, onRefused }: { api: Api; onLanguage: () => void; onRefused: () => void }) {
  const { t } = useText();
  const { world, connected, failure, setPayment, setMachine, refreshSoon } = useWorld(api);
  const [buyer, setBuyer] = useState("");
  const route = useRoute();

  useEffect(() => { if (failure?.status === 401) onRefused(); }, [failure, onRefused]);

  return (
    <AntApp message={{ maxCount: 3 }}>
      <div className="page">
        <header className="top">
          <h1><span className="mark">交</span>Jiaozi 交子</h1>
          <span className="quiet">{t("tagline")}</span>
          <span className="grow" />
          <Badge status={connected ? "success" : "processing"} text={connected ? t("live") : t("reconnecting")} />
          <Button icon={<GlobalOutlined />} onClick={onLanguage}>{t("language")}</Button>
        </header>
        <nav aria-label={t("nav")}>
          {pages.map(([target, name]) => (
            <To key={name} route={target} current={target.page === route.page || (target.page === "purses" && route.page === "purse")}>{t(name)}</To>
          ))}
        </nav>
        {failure && failure.status !== 401 && route.page !== "offline" && <Alert type="error" showIcon message={t("unreachable")} description={failure.message} />}
        {route.page === "offline" && <main><OfflinePage api={api} world={world} /></main>}
        {!world && !failure && route.page !== "offline" && <Skeleton active paragraph={{ rows: 12 }} />}
        {world && route.page === "purses" && <main><Purses world={world} /></main>}
        {world && route.page === "purse" && <main><PursePage key={route.purse} api={api} world={world} number={route.purse} onChanged={refreshSoon} /></main>}
        {world && route.page === "trust" && <main><TrustPage api={api} world={world} /></main>}
        {world && route.page === "home" && (
          <main className="stack">
            <Figures overview={world.overview} />
            <div className="columns">
              <Machines api={api} world={world} buyer={buyer} onBuyer={setBuyer} onPayment={setPayment} onMachine={setMachine} />
              <div className="stack">
                <Wallets world={world} />
                <Payments api={api} world={world} onRefunded={refreshSoon} />
              </div>
            </div>
          </main>
        )}
      </div>
    </AntApp>
  );
}
