// Every text a person sees, in English and in Simplified Chinese. A key that one language lacks does not compile.
import { createContext, useContext, useMemo } from "react";

import { offlineEn, offlineZh } from "./texts_offline";
import { pursesEn, pursesZh } from "./texts_purses";

const en = {
  ...pursesEn,
  ...offlineEn,
  tagline: "wallets and payments for connected devices",
  language: "中文",
  live: "live", reconnecting: "reconnecting…",
  machines: "Machines", buyer: "Who buys", wallets: "Wallets", payments: "Payments", today: "Today",
  online: "online", offline: "offline",
  works: "works", failDrop: "drop fails", silent: "silent", partial: "partial", nack: "refuses", behaviour: "Behaviour",
  behaviourHelp: "Make this simulated machine misbehave, then buy: the money comes back within seconds.",
  available: "available", held: "held", frozen: "frozen",
  refund: "Refund", refunded: "refunded", noPayments: "No payments yet. Press a button on a machine.",
  paidBy: "paid by", payWithCar: "The car pays", unreachable: "The program does not answer. Is it still running?",
  captured: "Captured", kept: "in delivery", returned: "Given back", refused: "Refused",
  keyTitle: "API key", keyHelp: "Paste the demo key that the program printed, or open the address it printed.", keyButton: "Open", keyBad: "That key was not accepted.",
  time: "Time", what: "What", amount: "Amount", state: "State", action: "Action",
  st_pending: "asking the machine", st_authorized: "money held, delivering", st_captured: "paid", st_voided: "money back", st_declined: "declined", st_failed: "not started",
  r_none: "", r_payer_not_member: "the payer is not a member of this wallet's group", r_payer_frozen: "the wallet is frozen",
  r_device_not_active: "the machine is not in service", r_product_unavailable: "the machine does not sell that", r_price_changed: "the price has changed",
  r_asset_mismatch: "the wallet holds another currency", r_code_invalid: "the code is unknown, used or expired", r_self_payment: "payer and payee are the same",
  r_limit_per_payment: "over the limit per payment", r_limit_per_day: "the daily allowance is used up", r_limit_per_category: "the allowance for this category is used up",
  r_insufficient_funds: "not enough money in the wallet", r_ledger_refused: "the ledger refused it", r_device_offline: "the machine does not answer; no money was held",
  r_device_busy: "the machine is serving someone else", r_not_delivered: "the machine reported that nothing was delivered", r_device_nack: "the machine refused the order",
  r_device_silent: "the machine fell silent, so the hold was released", r_cancelled: "cancelled",
  r_payee_voided: "the payee's purse never took it", r_not_claimed: "nobody claimed it in time",
  late: "a report came late", person: "person to person",
  units: "delivered",
};

export type Key = keyof typeof en;

const zh: Record<Key, string> = {
  ...pursesZh,
  ...offlineZh,
  tagline: "面向联网设备的钱包与支付",
  language: "English",
  live: "实时", reconnecting: "正在重连…",
  machines: "机器", buyer: "谁来买", wallets: "钱包", payments: "付款", today: "今日",
  online: "在线", offline: "离线",
  works: "正常", failDrop: "掉货失败", silent: "失联", partial: "部分出货", nack: "拒绝", behaviour: "行为",
  behaviourHelp: "让这台模拟机器出错，再购买：钱会在几秒内退回。",
  available: "可用", held: "冻结中", frozen: "已冻结",
  refund: "退款", refunded: "已退款", noPayments: "还没有付款。请按机器上的按钮。",
  paidBy: "付款方", payWithCar: "由汽车付款", unreachable: "程序没有回应。它还在运行吗？",
  captured: "已入账", kept: "出货中", returned: "已退回", refused: "已拒绝",
  keyTitle: "API 密钥", keyHelp: "请粘贴程序打印的演示密钥，或打开它打印的网址。", keyButton: "打开", keyBad: "密钥未被接受。",
  time: "时间", what: "内容", amount: "金额", state: "状态", action: "操作",
  st_pending: "正在询问机器", st_authorized: "已冻结金额，出货中", st_captured: "已付款", st_voided: "已退回", st_declined: "被拒绝", st_failed: "未开始",
  r_none: "", r_payer_not_member: "付款人不是该钱包群的成员", r_payer_frozen: "钱包已冻结",
  r_device_not_active: "机器未在服务中", r_product_unavailable: "机器不出售此商品", r_price_changed: "价格已变动",
  r_asset_mismatch: "钱包币种不同", r_code_invalid: "付款码无效、已用或已过期", r_self_payment: "付款方与收款方相同",
  r_limit_per_payment: "超过单笔限额", r_limit_per_day: "当日额度已用完", r_limit_per_category: "此类别额度已用完",
  r_insufficient_funds: "钱包余额不足", r_ledger_refused: "账本拒绝", r_device_offline: "机器没有应答，未冻结任何金额",
  r_device_busy: "机器正在为他人服务", r_not_delivered: "机器报告未出货", r_device_nack: "机器拒绝了指令",
  r_device_silent: "机器失联，冻结金额已释放", r_cancelled: "已取消",
  r_payee_voided: "收款方的离线钱袋未入账", r_not_claimed: "逾期无人认领",
  late: "报告迟到", person: "个人转账",
  units: "已出货",
};

export type Language = "en" | "zh";
export const texts: Record<Language, Record<Key, string>> = { en, zh };

export function preferredLanguage(): Language {
  const stored = localStorage.getItem("jiaozi.language");
  if (stored === "en" || stored === "zh") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const LanguageContext = createContext<Language>("en");

export type Translate = (key: Key, values?: Readonly<Record<string, string | number>>) => string;

/** The current language and its texts; {name} in a text is replaced by values.name. */
export function useText(): { language: Language; t: Translate } {
  const language = useContext(LanguageContext);
  // The same function as long as the language is the same: effects may depend on it.
  return useMemo(() => ({ language, t: (key, values = {}) => texts[language][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) }), [language]);
}
