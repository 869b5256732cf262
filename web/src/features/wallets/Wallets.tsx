import { Card, Tag } from "antd";

import { useText } from "../../shared/i18n";
import { display, minor } from "../../shared/money";
import type { World } from "../../shared/world";

export function Wallets({ world }: { world: World }) {
  const { t } = useText();
  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("wallets")}</h2>} size="small">
      <table style={{ width: "100%", borderSpacing: "0 6px" }}>
        <thead className="quiet" style={{ textAlign: "left" }}>
          <tr><th scope="col">{t("wallets")}</th><th scope="col" style={{ textAlign: "right" }}>{t("available")}</th><th scope="col" style={{ textAlign: "right" }}>{t("held")}</th></tr>
        </thead>
        <tbody>
          {world.wallets.map((wallet) => (
            <tr key={wallet.id}>
              <td>{wallet.name} {wallet.frozen && <Tag color="red">{t("frozen")}</Tag>}</td>
              <td className="money" style={{ textAlign: "right" }}><strong>{display(minor(wallet.available), wallet.asset)}</strong></td>
              <td className="money quiet" style={{ textAlign: "right" }}>{wallet.held === "0" ? "–" : display(minor(wallet.held), wallet.asset)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
