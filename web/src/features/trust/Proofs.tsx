import { App, Button, Card } from "antd";

import { ApiError, type Api, type Purse } from "../../shared/api";
import { useText } from "../../shared/i18n";
import { holderOf } from "../../shared/purse/names";
import { To } from "../../shared/route";
import type { World } from "../../shared/world";
import type { ChosenProof } from "./Verify";

export function Proofs({ api, world, onChosen }: { api: Api; world: World; onChosen: (proof: ChosenProof) => void }) {
  const { t } = useText();
  const { message } = App.useApp();
  const proven = world.purses.filter((purse) => purse.proven);

  // The file is the API's answer as it is, which the command line takes too.
  const fetched = async (purse: Purse, use: (name: string, text: string) => void) => {
    try {
      use(`purse-${purse.ordinal}-fork-proof.json`, JSON.stringify(await api.purseProof(purse.ordinal), null, 2));
    } catch (error) {
      if (error instanceof ApiError) void message.error(error.message === "" ? t("unreachable") : error.message);
    }
  };
  const download = (name: string, text: string) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  };

  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("proofs")}</h2>} size="small">
      <p className="reason" style={{ marginTop: 0 }}>{t("proofsHelp")}</p>
      {proven.length === 0 && <p>{t("noProofs")}</p>}
      <ul className="wallets">
        {proven.map((purse) => (
          <li key={purse.ordinal} className="wallet-line">
            <span><To route={{ page: "purse", purse: purse.ordinal }}>{t("purseNumber", { n: purse.ordinal })}</To> <span className="reason">{holderOf(world, purse)}</span></span>
            <span>
              <Button size="small" onClick={() => void fetched(purse, download)}>{t("download")}</Button>{" "}
              <Button size="small" onClick={() => void fetched(purse, (name, text) => onChosen({ name, bytes: new TextEncoder().encode(text) }))}>{t("checkHere")}</Button>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
