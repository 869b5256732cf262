import { Alert } from "antd";
import { useEffect, useState } from "react";

import { ApiError, type Api, type PurseBlacklist, type PurseRoot, type QuarantinedItem } from "../../shared/api";
import { useText } from "../../shared/i18n";
import type { World } from "../../shared/world";
import { Blacklist, Root } from "./Lists";
import { Proofs } from "./Proofs";
import { Quarantine } from "./Quarantine";
import { Verify, type ChosenProof } from "./Verify";

type Trust = { list: PurseBlacklist | undefined; root: PurseRoot | undefined; quarantine: QuarantinedItem[] | undefined; gone: boolean };

// What this key may not see, or what is not there yet, is left out.
async function load(api: Api): Promise<Trust> {
  let gone = false;
  const unless = (error: unknown) => {
    if (!(error instanceof ApiError) || error.status === 0) throw error;
    gone ||= error.status === 503;
    return undefined;
  };
  const [list, root, quarantine] = await Promise.all([
    api.purseBlacklist().catch(unless), api.purseRoot().catch(unless), api.quarantine().then(({ data }) => data).catch(unless),
  ]);
  return { list, root, quarantine, gone };
}

export function TrustPage({ api, world }: { api: Api; world: World }) {
  const { t } = useText();
  const [trust, setTrust] = useState<Trust>();
  const [chosen, setChosen] = useState<ChosenProof>();

  useEffect(() => {
    let stopped = false;
    const read = () => void load(api).then((loaded) => { if (!stopped) setTrust(loaded); }).catch(() => undefined); // the stream tells when the program is gone
    read();
    const pulse = setInterval(read, 10_000);
    return () => { stopped = true; clearInterval(pulse); };
  }, [api, world.purses]);

  return (
    <div className="stack">
      {trust?.gone && <Alert type="warning" showIcon message={t("noPurseService")} />}
      <div className="columns">
        <div className="stack">
          <Blacklist list={trust?.list} />
          <Root root={trust?.root} />
        </div>
        <div className="stack">
          <Proofs api={api} world={world} onChosen={setChosen} />
          <Verify issuers={trust?.root?.issuers ?? []} chosen={chosen} onChosen={setChosen} />
        </div>
      </div>
      <Quarantine items={trust?.quarantine} />
    </div>
  );
}
