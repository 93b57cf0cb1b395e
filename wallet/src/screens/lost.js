// The phone is gone, and this is another one without a wallet: the recovery code ends the lost phone, shows what it had
// agreed to, and withdraws. Nothing of it is kept here: the secrets live in this page and end with it.

import { form } from "../fields.js";
import { page, pill, problem, say, waiting } from "../frame.js";
import { readHistory, withdraw } from "../history.js";
import { recover } from "../home.js";
import { getJson } from "../http.js";
import { dateTime, of, t } from "../language.js";
import { memoryStore } from "../memory.js";
import { openBackup, readCode } from "../recovery.js";
import { makeSeed, restoreSeeds } from "../secrets.js";
import { Trust } from "../trust.js";
import { recoveryField } from "./phones.js";
import { h, icon, show } from "../view.js";

const OPEN = ["live", "spent"];

export function lost(app, error = null) {
  const field = recoveryField();
  const trouble = h("div", {}, error && problem(error));
  const run = () => {
    field.clear();
    const code = readCode(field.value());
    if (!code) return field.fail(t("recovery.form"));
    return report(app, code);
  };
  page(app, {
    title: t("lost.title"),
    back: "#",
    content: [
      h("p", { class: "lead" }, t("lost.lead")),
      h("div", { class: "sheet" }, trouble, form(run, field.element, h("button", { class: "button button-danger", testid: "lost-submit" }, t("lost.submit")))),
      h("p", { class: "fine" }, t("lost.counter")),
    ],
  });
}

async function report(app, code) {
  waiting(app, t("lost.busy"));
  const store = memoryStore();
  let ended;
  let trust;
  try {
    const config = await getJson(`${location.origin}/wallet/config.json`);
    const backup = await openBackup(code, (asked) => recover({ ...asked, lost: true }));
    ended = backup.ended;
    trust = await Trust.open(store);
    await trust.pin(config.ledger.vkey);
    await makeSeed(store);
    await restoreSeeds(store, backup.seeds);
  } catch (error) {
    return lost(app, error);
  }
  return list(app, { store, trust, ended });
}

async function list(app, context, notice = null) {
  const { store, trust, ended } = context;
  const report = waiting(app, t("history.reading"));
  let grants;
  try {
    ({ grants } = await readHistory({ store, trust, now: app.now, report }));
  } catch (error) {
    return page(app, { title: t("lost.title"), back: "#", content: [problem(error), h("button", { class: "button", type: "button", onclick: () => list(app, context) }, t("common.retry"))] });
  }
  const open = grants.filter(({ state }) => OPEN.includes(state));
  page(app, {
    title: t("lost.title"),
    back: "#",
    content: [
      h("p", { class: "notice notice-ok", role: "status", testid: "lost-done" }, icon("check"), t(ended ? "lost.ended" : "lost.endedBefore")),
      notice,
      h("p", { class: "lead" }, t(open.length > 0 ? "lost.open" : "lost.none", { count: open.length })),
      h("ul", { class: "stack" }, grants.map((grant) => h("li", {}, item(app, context, grant)))),
      open.length > 1 && h("button", { class: "button button-danger", type: "button", testid: "lost-withdraw-all", onclick: () => take(app, context, open) }, t("lost.withdrawAll")),
      h("p", { class: "fine" }, t("lost.next")),
    ],
  });
}

function item(app, context, grant) {
  const { state, matter, agency, given } = grant;
  return h(
    "article",
    { class: "sheet", testid: "lost-grant", "data-state": state },
    h("div", { class: "sheet-head" }, h("h2", {}, of(matter) || t("history.handle")), pill(state === "live" ? "ok" : "off", t(`history.${state}`))),
    h("p", { class: "fine" }, `${of(agency)} · ${dateTime(given)}`),
    OPEN.includes(state) && h("button", { class: "button button-quiet", type: "button", onclick: () => take(app, context, [grant]) }, t("history.withdrawButton")),
  );
}

async function take(app, context, grants) {
  waiting(app, t("history.withdrawBusy"));
  let notice;
  try {
    for (const { handle } of grants) await withdraw(handle, context);
    const words = t("lost.withdrawn", { count: grants.length });
    notice = h("p", { class: "notice notice-ok", role: "status", testid: "lost-withdrawn" }, icon("check"), words);
    say(words);
  } catch (error) {
    notice = problem(error);
  }
  await list(app, context, notice);
}
