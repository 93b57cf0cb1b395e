// The frame around every screen: header, main, tabs; where focus goes, and what is said aloud.

import { explain, language, speak, t, tag } from "./language.js";
import { h, icon, show } from "./view.js";

const TABS = [
  ["home", "#", "cards"],
  ["scan", "#scan", "scan"],
  ["history", "#history", "clock"],
  ["settings", "#settings", "gear"],
];

/** Draws a screen. `tab`: the tab it belongs to, or null for a screen that is one task; `back`: where ‹ leads. */
export function page(app, { title, tab = null, back = null, kind = "", content }) {
  const heading = h("h1", { tabindex: "-1" }, title);
  const bar = h(
    "header",
    { class: "bar" },
    back
      ? h("a", { class: "bar-back", href: back, testid: "back" }, icon("back"), h("span", { class: "visually-hidden" }, t("common.back")))
      : h("span", { class: "bar-mark" }, icon("shield")),
    h("span", { class: "bar-name" }, t("app.name")),
    languageSwitch(app),
  );
  const offline = h("p", { class: "offline", role: "status", hidden: navigator.onLine }, icon("warn"), t("common.offline"));
  show(
    document.getElementById("app"),
    h("a", { class: "skip", href: "#main", onclick: (event) => skip(event, heading) }, t("app.skip")),
    bar,
    offline,
    h("main", { id: "main", class: kind }, heading, content),
    tab ? tabs(tab) : null,
  );
  document.documentElement.lang = tag();
  document.title = `${title} · ${t("app.name")}`;
  window.scrollTo(0, 0);
  heading.focus({ preventScroll: true });
}

/** Says `text` to screen readers without moving focus. */
export const say = (text) => show(document.getElementById("status"), text);

/** A whole-screen wait with a bar; returns `report(step, steps, words)`. */
export function waiting(app, title, lead) {
  const bar = h("progress", { max: "1", "aria-label": title });
  const words = h("p", { class: "waiting-words" }, lead ?? "");
  page(app, { title, kind: "waiting", content: [h("div", { class: "waiting-art" }, icon("shield")), bar, words] });
  say(title);
  return (step, steps, text) => {
    bar.max = steps;
    bar.value = step;
    if (text) words.textContent = text;
  };
}

/** A problem in words, with the way out. */
export function problem(error, { testid = "problem" } = {}) {
  const [title, fix] = explain(error);
  if (!error.code) console.error(error);
  return h(
    "div",
    { class: "notice notice-bad", role: "alert", testid, "data-code": error.code ?? "unexpected" },
    icon("warn"),
    h("div", {}, h("strong", {}, title), fix && h("p", {}, fix)),
  );
}

/** A yes/no question in a modal dialog; resolves to true only when the answer is yes. */
export function ask({ title, lead, yes, testid, danger = true }) {
  return new Promise((resolve) => {
    const close = (answer) => () => dialog.close(answer);
    const id = "dialog-title";
    const dialog = h(
      "dialog",
      { class: "dialog", "aria-labelledby": id, onclose: () => (dialog.remove(), resolve(dialog.returnValue === "yes")) },
      h("h2", { id }, title),
      h("p", {}, lead),
      h(
        "div",
        { class: "buttons" },
        h("button", { class: `button ${danger ? "button-danger" : ""}`, type: "button", testid, onclick: close("yes") }, yes),
        h("button", { class: "button button-quiet", type: "button", onclick: close("") }, t("common.cancel")),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

export const pill = (state, words) => h("span", { class: `pill pill-${state}` }, icon(PILL_ICONS[state] ?? "dash"), words);
const PILL_ICONS = { ok: "check", bad: "cross", warn: "warn", off: "dash", wait: "clock" };

export const facts = (rows) =>
  h("dl", { class: "facts" }, rows.filter(Boolean).map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));

/** Offers `text` as a file. */
export function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 0);
}

function languageSwitch(app) {
  const other = language() === "zh" ? "en" : "zh";
  return h(
    "button",
    {
      class: "bar-language",
      type: "button",
      testid: "language",
      lang: other === "zh" ? "zh-Hans" : "en",
      "aria-label": t("common.languageLabel"),
      onclick: () => (speak(other), app.redraw()),
    },
    t("common.language"),
  );
}

const tabs = (current) =>
  h(
    "nav",
    { class: "tabs", "aria-label": t("nav.label") },
    TABS.map(([name, href, sign]) =>
      h(
        "a",
        { href, class: name === "scan" ? "tab tab-scan" : "tab", testid: `tab-${name}`, "aria-current": name === current ? "page" : null },
        h("span", { class: "tab-icon" }, icon(sign)),
        h("span", {}, t(`nav.${name}`)),
      ),
    ),
  );

function skip(event, heading) {
  event.preventDefault();
  heading.focus();
}
