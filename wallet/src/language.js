// Which language is spoken, and how numbers of seconds become words in it. Chinese unless chosen otherwise.

import { ERRORS, WORDS } from "./strings.js";

const KEY = "wallet-language";
const LANGUAGES = ["zh", "en"];
const TAGS = { zh: "zh-Hans", en: "en" };

let current = LANGUAGES.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : "zh";

export const language = () => current;
export const tag = () => TAGS[current];

export function speak(chosen) {
  current = chosen;
  localStorage.setItem(KEY, chosen);
}

export const t = (key, values = {}) => fill(WORDS[key][LANGUAGES.indexOf(current)], values);

/** The words of a document: {zh, en}. */
export const of = (words) => words?.[current] ?? words?.zh ?? "";

/** [what is wrong, what to do] for anything thrown. */
export function explain(error) {
  const words = error.words?.[current];
  if (words) return [words[0], words[1] ?? ""];
  const code = error.code?.startsWith("receipt-") ? "receipt" : error.code;
  const [title, fix] = (ERRORS[code] ?? ERRORS.unexpected)[LANGUAGES.indexOf(current)];
  return [title, fill(fix, error.params ?? {})];
}

/** The same as one sentence, for beside a field. */
export const explainShort = (error) => explain(error).filter(Boolean).join(current === "zh" ? "" : " ");

export function dateTime(seconds) {
  const options = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false };
  return new Intl.DateTimeFormat(current === "zh" ? "zh-CN" : "en-GB", options).format(new Date(seconds * 1000));
}

export function date(seconds) {
  const options = { year: "numeric", month: current === "zh" ? "long" : "short", day: "numeric" };
  return new Intl.DateTimeFormat(current === "zh" ? "zh-CN" : "en-GB", options).format(new Date(seconds * 1000));
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
