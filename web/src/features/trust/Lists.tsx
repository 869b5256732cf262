// The two documents that devices believe: the blacklist and the root, and how old they are.
import { Card, Progress, Tag } from "antd";
import { listHeadOf, readObject, readRoot, type ListHead, type RootDocument } from "jiaozi-purse";

import type { PurseBlacklist, PurseRoot } from "../../shared/api";
import { fromBase64 } from "../../shared/bytes";
import { useText } from "../../shared/i18n";
import { suiteNames } from "../../shared/purse/names";
import { ago, dateTime } from "../../shared/time";

const staleAfter = 7 * 86_400; // docs/protocol/offline.md, section 4

function headOf(list: PurseBlacklist): ListHead | undefined {
  try {
    return listHeadOf(readObject(fromBase64(list.head)));
  } catch {
    return undefined;
  }
}

export function Blacklist({ list }: { list: PurseBlacklist | undefined }) {
  const { t, language } = useText();
  const head = list && headOf(list);
  const now = new Date();
  const age = head ? Math.max(0, Math.floor(now.getTime() / 1000) - head.time) : 0;
  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("blacklist")}</h2>} size="small">
      <p className="reason" style={{ marginTop: 0 }}>{t("blacklistHelp")}</p>
      {!head || !list ? <p>{t("noList")}</p> : (
        <>
          <dl className="facts">
            <dt>{t("listVersion")}</dt><dd>{head.version}</dd>
            <dt>{t("listSigned")}</dt>
            <dd>
              {dateTime(language, new Date(head.time * 1000))} ({ago(language, new Date(head.time * 1000), now)}){" "}
              <Tag color={age < staleAfter ? "green" : "red"}>{t(age < staleAfter ? "listFresh" : "listStale")}</Tag>
            </dd>
            <dt>{t("listRevoked")}</dt><dd>{t("listOf", { n: head.revoked, all: head.enrolled })}</dd>
            <dt>{t("listSize")}</dt><dd>{t("bytes", { n: fromBase64(list.head).length + fromBase64(list.body).length })}</dd>
          </dl>
          <Progress aria-label={t("listAge")} percent={Math.min(100, Math.round((age * 100) / staleAfter))} size="small" status={age < staleAfter ? "normal" : "exception"} showInfo={false} />
        </>
      )}
    </Card>
  );
}

function documentOf(root: PurseRoot | undefined): RootDocument | undefined {
  try {
    return root?.root == null ? undefined : readRoot(fromBase64(root.root));
  } catch {
    return undefined;
  }
}

export function Root({ root }: { root: PurseRoot | undefined }) {
  const { t, language } = useText();
  const document = documentOf(root);
  const until = (second: number) => (second >= 0xffffffff ? t("always") : dateTime(language, new Date(second * 1000)));
  const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return (
    <Card title={<h2 style={{ fontSize: 16, margin: 0 }}>{t("root")}</h2>} size="small">
      <p className="reason" style={{ marginTop: 0 }}>{t("rootHelp")}</p>
      {document
        ? <p>{t("listVersion")} {document.version}, {t("rootSigners", { threshold: document.threshold, all: document.signers })}</p>
        : <p>{t("noRoot")}</p>}
      <ul className="wallets">
        {(root?.issuers ?? []).map((issuer) => {
          const named = document?.keys.find((key) => hex(key.key) === issuer.key);
          const revoked = document?.revoked.some((kid) => hex(kid) === issuer.kid) ?? false;
          return (
            <li key={issuer.kid}>
              {suiteNames[issuer.suite]}{" "}
              {document && <Tag color={revoked ? "red" : named ? "green" : "orange"}>{t(revoked ? "rootRevoked" : named ? "rootNamed" : "rootNotNamed")}</Tag>}
              <div className="code">{issuer.key}</div>
              {named && <div className="reason">{t("validFrom")} {until(named.notBefore)}, {t("validUntil")} {until(named.notAfter)}</div>}
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
