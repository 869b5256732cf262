// Times as a person reads them, in the page's language.
import type { Language } from "./i18n";

const units: readonly [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

/** "3 days ago", "in 2 hours"; of the largest unit that fits. */
export function ago(language: Language, at: Date, now: Date): string {
  const seconds = Math.round((at.getTime() - now.getTime()) / 1000);
  const format = new Intl.RelativeTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { numeric: "auto" });
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return format.format(Math.trunc(seconds / size), unit);
}

export function dateTime(language: Language, at: Date): string {
  return new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { dateStyle: "medium", timeStyle: "short" }).format(at);
}

export function date(language: Language, at: Date): string {
  return new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { dateStyle: "medium" }).format(at);
}
