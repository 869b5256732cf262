import { ConfigProvider } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import { useEffect, useMemo, useState } from "react";

import { Api } from "../shared/api";
import { LanguageContext, preferredLanguage, type Language } from "../shared/i18n";
import { Dashboard } from "./Dashboard";
import { KeyForm } from "./KeyForm";

// The program prints an address that ends in #key=…: a fragment never leaves the browser. It is kept for this tab only.
function takeKey(): string {
  const match = /^#key=(sk_[A-Za-z0-9_]+)$/.exec(location.hash);
  if (match?.[1] !== undefined) {
    sessionStorage.setItem("jiaozi.key", match[1]);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("jiaozi.key") ?? "";
}

export function App() {
  const [key, setKey] = useState(takeKey);
  const [refused, setRefused] = useState(false);
  const [language, setLanguage] = useState<Language>(preferredLanguage);
  const api = useMemo(() => new Api(key), [key]);

  useEffect(() => {
    localStorage.setItem("jiaozi.language", language);
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }, [language]);

  return (
    <ConfigProvider button={{ autoInsertSpace: false }} locale={language === "zh" ? zhCN : enUS} theme={{ token: { colorPrimary: "#a8071a", colorLink: "#a8071a", colorError: "#a8071a", borderRadius: 8, colorTextDescription: "#57534e" } }}>
      <LanguageContext.Provider value={language}>
        {key === "" || refused ? (
          <KeyForm refused={refused} onKey={(entered) => { sessionStorage.setItem("jiaozi.key", entered); setRefused(false); setKey(entered); }} />
        ) : (
          <Dashboard api={api} onLanguage={() => setLanguage(language === "zh" ? "en" : "zh")} onRefused={() => setRefused(true)} />
        )}
      </LanguageContext.Provider>
    </ConfigProvider>
  );
}
