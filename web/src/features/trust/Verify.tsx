// Checks a fork proof in this browser: the purse's own code, the issuer's key, and nothing of the server.
import { Alert, Button, Card, Input } from "antd";
import { readForkProof, type ForkProof } from "jiaozi-purse";
import { useEffect, useRef, useState } from "react";

import type { PurseIssuer } from "../../shared/api";
import { useText, type Key, type Translate } from "../../shared/i18n";
import { PurseFailure, PurseWorker } from "../../shared/purse/client";
import { ForkPicture } from "./ForkPicture";
import { keyText, readKeys, readProofFile } from "./proof_file";

export type ChosenProof = { name: string; bytes: Uint8Array };
type Verdict = { good: true; purse: number; proof: ForkProof } | { good: false; text: string };

const explained = ["unknown_issuer", "bad_signature", "bad_range", "malformed", "too_large"];

function refusalText(error: unknown, t: Translate): string {
  const status = error instanceof PurseFailure ? error.status : "failed";
  if (status === "no_module") return t("noModule");
  return t("notVerified", { why: explained.includes(status) ? t(`pv_${status}` as Key) : t("pv_other", { status }) });
}

async function check(chosen: ChosenProof, keysText: string, t: Translate): Promise<Verdict> {
  const read = readKeys(keysText);
  if ("bad" in read) return { good: false, text: t("verifyBadKey", { text: read.bad }) };
  const bytes = readProofFile(chosen.bytes);
  if (!bytes) return { good: false, text: t("notVerified", { why: t("pv_malformed") }) };
  const worker = new PurseWorker();
  try {
    // Four keys at a time is what a purse knows.
    let refusal: unknown = new PurseFailure("unknown_issuer", "");
    for (let from = 0; from < read.keys.length; from += 4) {
      try {
        const purse = await worker.call("verifyProof", read.keys.slice(from, from + 4), bytes);
        return { good: true, purse, proof: readForkProof(bytes) };
      } catch (error) {
        refusal = error;
      }
    }
    return { good: false, text: refusalText(refusal, t) };
  } finally {
    worker.close();
  }
}

export function Verify({ issuers, chosen, onChosen }: { issuers: PurseIssuer[]; chosen: ChosenProof | undefined; onChosen: (proof: ChosenProof) => void }) {
  const { t } = useText();
  const [keys, setKeys] = useState<string>();
  const [verdict, setVerdict] = useState<Verdict>();
  const [busy, setBusy] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const keysText = keys ?? issuers.map(keyText).join("\n");

  useEffect(() => setVerdict(undefined), [chosen]);

  const take = async (list: FileList | null) => {
    const first = list?.[0];
    if (first) onChosen({ name: first.name, bytes: new Uint8Array(await first.arrayBuffer()) });
  };
  const verify = async () => {
    if (!chosen) return setVerdict({ good: false, text: t("verifyNeedsProof") });
    setBusy(true);
    setVerdict(await check(chosen, keysText, t));
    setBusy(false);
  };

  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("verifyTitle")}</h2>} size="small">
      <p className="reason" style={{ marginTop: 0 }}>{t("verifyHelp")}</p>
      <p>
        <input ref={file} type="file" aria-label={t("proofFile")} hidden onChange={(event) => void take(event.target.files)} />
        <Button onClick={() => file.current?.click()}>{t("verifyChoose")}</Button> <strong>{chosen?.name}</strong>
      </p>
      <label htmlFor="issuer-keys">{t("verifyIssuer")}</label>
      <Input.TextArea id="issuer-keys" className="code" autoSize={{ minRows: 2, maxRows: 6 }} spellCheck={false} value={keysText} onChange={(event) => setKeys(event.target.value)} />
      <p className="reason">{t("verifyIssuerHelp")}</p>
      <Button type="primary" loading={busy} onClick={() => void verify()}>{t("verifyButton")}</Button>
      <div aria-live="polite" style={{ marginTop: 12 }}>
        {verdict && !verdict.good && <Alert type="warning" showIcon message={verdict.text} />}
        {verdict?.good && (
          <>
            <Alert type="error" showIcon message={t("verified", { n: verdict.purse })} style={{ marginBottom: 8 }} />
            <ForkPicture proof={verdict.proof} />
          </>
        )}
      </div>
    </Card>
  );
}
