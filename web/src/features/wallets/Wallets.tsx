import { Card, Tag } from "antd";

import type { Purse, Wallet } from "../../shared/api";
import { Bar, type Part } from "../../shared/Bar";
import { useText, type Translate } from "../../shared/i18n";
import { display, minor, sum } from "../../shared/money";
import type { World } from "../../shared/world";

/** The three parts of one balance: what the wallet holds, what its purses hold, what they received on its way to it. One part where there is no purse. */
export function partsOf(wallet: Wallet, purses: readonly Purse[], t: Translate): Part[] {
  const held = wallet.held === "0" ? {} : { more: t("heldOf", { amount: display(minor(wallet.held), wallet.asset) }) };
  const online: Part = { key: "online", label: t("part_online"), amount: minor(wallet.total), look: "solid", ...held };
  if (purses.length === 0) return [online];
  return [
    online,
    { key: "in_purses", label: t("part_in_purses"), amount: minor(wallet.in_purses), look: "striped" },
    { key: "on_the_way", label: t("part_on_the_way"), amount: minor(wallet.on_the_way), look: "dotted" },
  ];
}

export function Wallets({ world }: { world: World }) {
  const { t } = useText();
  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("wallets")}</h2>} size="small">
      <p className="reason" style={{ marginTop: 0 }}>{t("balanceHelp")}</p>
      <ul className="wallets">
        {world.wallets.map((wallet) => {
          const purses = world.purses.filter((purse) => purse.wallet === wallet.id);
          const parts = partsOf(wallet, purses, t);
          const collateral = sum(purses.map((purse) => minor(purse.collateral)));
          return (
            <li key={wallet.id} data-wallet={wallet.id}>
              <div className="wallet-line">
                <span>{wallet.name} {wallet.frozen && <Tag color="red">{t("frozen")}</Tag>}</span>
                <strong className="money">{display(sum(parts.map((part) => part.amount)), wallet.asset)}</strong>
              </div>
              <Bar parts={parts} asset={wallet.asset} />
              {collateral > 0n && <div className="reason">{t("collateralBesides", { amount: display(collateral, wallet.asset) })}</div>}
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
