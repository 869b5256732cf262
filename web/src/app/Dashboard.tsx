import { GlobalOutlined } from "@ant-design/icons";
import { Alert, App as AntApp, Badge, Button, Skeleton } from "antd";
import { useEffect, useState } from "react";

import { Machines } from "../features/machines/Machines";
import { Figures } from "../features/overview/Figures";
import { Payments } from "../features/payments/Payments";
import { Wallets } from "../features/wallets/Wallets";
import type { Api } from "../shared/api";
import { useText } from "../shared/i18n";
import { useWorld } from "../shared/world";

export function Dashboard({ api, onLanguage, onRefused }: { api: Api; onLanguage: () => void; onRefused: () => void }) {
  const { t } = useText();
  const { world, connected, failure, setPayment, setMachine, refreshSoon } = useWorld(api);
  const [buyer, setBuyer] = useState("");

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
        {failure && failure.status !== 401 && <Alert type="error" showIcon message={t("unreachable")} description={failure.message} />}
        {!world && !failure && <Skeleton active paragraph={{ rows: 12 }} />}
        {world && (
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
