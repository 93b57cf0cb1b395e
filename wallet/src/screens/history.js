// Every use of the citizen's certificates. A green tick stands only beside what this phone itself has verified.

import { ask, download, facts, page, pill, problem, say, waiting } from "../frame.js";
import { readHistory, withdraw } from "../history.js";
import { hex } from "../bytes.js";
import { dateTime, of, t } from "../language.js";
import { alarm } from "./certificates.js";
import { h, icon } from "../view.js";

/** A grant whose uses are spent can be withdrawn too: what stands open under it closes. */
const WITHDRAWABLE = ["live", "spent"];
const STATES = { live: "ok", withdrawn: "off", expired: "off", spent: "off", unrecorded: "warn" };

export async function history(app, { notice = null } = {}) {
  const { visit } = app;
  const report = waiting(app, t("history.reading"));
  let read;
  try {
    read = await readHistory({ store: app.store, trust: app.trust, now: app.now, home: app.home, report });
  } catch (error) {
    return visit.left || page(app, { title: t("history.title"), tab: "history", content: [problem(error), again(app)] });
  }
  if (visit.left) return;
  const { grants, online } = read;
  page(app, {
    title: t("history.title"),
    tab: "history",
    content: [
      app.trust.state.alarm && alarm(app),
      notice,
      summary(app, grants, online),
      grants.length === 0
        ? h("div", { class: "empty" }, h("div", { class: "empty-art" }, icon("clock")), h("h2", {}, t("history.empty")), h("p", {}, t("history.emptyLead")))
        : h("ul", { class: "stack" }, grants.map((grant) => h("li", {}, item(app, grant, online)))),
      again(app),
    ],
  });
}

function summary(app, grants, online) {
  const events = grants.flatMap((grant) => grant.events);
  const wrong = events.filter(({ state }) => state === "wrong").length;
  const size = t("history.size", { size: ledgerSize(app), time: dateTime(app.trust.state.checkedAt) });
  const doubtful = online && grants.some(inDoubt);
  const pending = online && (grants.some(awaits) || events.some(({ state }) => state === "pending"));
  if (events.length === 0 && !doubtful) return h("p", { class: "fine" }, size);
  const [kind, sign, words] =
    wrong > 0
      ? ["bad", "warn", t("history.someWrong", { count: wrong })]
      : doubtful
        ? ["bad", "warn", t("history.incomplete")]
      : pending
        ? ["info", "clock", t("history.pending", { count: events.length })]
      : online
        ? ["ok", "check", t("history.complete", { count: events.length })]
        : ["info", "clock", t("history.kept", { count: events.length })];
  return h(
    "div",
    { class: `notice notice-${kind}`, testid: "history-summary" },
    icon(sign),
    h("div", {}, h("strong", {}, words), h("p", {}, size)),
  );
}

/** The phone could not prove that it was shown everything. */
const inDoubt = ({ proof }) => !["complete", "absent", "pending"].includes(proof.verdict);

/** Its node says that everything is there; the other validators have not signed it yet. */
const awaits = ({ proof }) => proof.verdict === "pending";

const ledgerSize = (app) => app.trust.state.checkpoint.split("\n")[1];

function item(app, grant, online) {
  const { state, matter, agency, fields, uses, used, notAfter, hidden, events, agent, principal, proof: { verdict } } = grant;
  return h(
    "article",
    { class: "sheet entry", testid: "history-item", "data-state": state, "data-proof": verdict },
    h("div", { class: "sheet-head" }, h("h2", {}, of(matter) || t("history.handle")), pill(STATES[state], t(`history.${state}`))),
    h("p", { class: "entry-who" }, of(agency)),
    agent && h("p", { class: "fine", testid: "history-agent" }, icon("key"), t("history.byAgent", { name: agent })),
    principal && h("p", { class: "fine", testid: "history-principal" }, icon("key"), t("history.forPrincipal", { name: principal })),
    // What an agent shows are the agent's own facts; of the principal it is the mandate.
    !agent && fields.length > 0 && h("p", { class: "fine" }, fields.map(of).join(" · ")),
    state === "unrecorded"
      ? h("p", { class: "notice notice-info" }, icon("warn"), t(verdict === "absent" ? "history.absentLead" : "history.unrecordedLead"))
      : h("p", { class: "fine" }, t("history.used", { used, uses }), h("br"), t("history.until", { time: dateTime(notAfter) })),
    online && inDoubt(grant) && h("p", { class: "notice notice-bad", testid: "history-incomplete" }, icon("warn"), t(`history.${verdict}Lead`)),
    hidden.length > 0 && h("p", { class: "notice notice-bad", testid: "history-hidden" }, icon("warn"), t("history.hidden", { list: hidden.join(", ") })),
    h("ol", { class: "timeline" }, [...events].reverse().map((event) => moment(app, grant, event))),
    agent && WITHDRAWABLE.includes(state) && h("a", { class: "button button-quiet", href: "#mandates" }, t("history.toMandates")),
    !agent &&
      WITHDRAWABLE.includes(state) &&
      h("button", { class: "button button-quiet", type: "button", testid: "withdraw", disabled: !online, onclick: () => confirmWithdrawal(app, grant) }, t("history.withdrawButton")),
  );
}

function moment(app, grant, { receipt, state, text }) {
  const sentence = receipt ? t(`history.${grant.agent ? "agent." : ""}${receipt.name}`) : t("history.unknown");
  const who = receipt?.name === "usage" && of(grant.agency);
  return h(
    "li",
    { class: `moment moment-${state}`, testid: `event-${receipt?.name ?? "unknown"}` },
    h("p", { class: "moment-what" }, who && h("strong", {}, who), who && (document.documentElement.lang === "en" ? " " : ""), sentence),
    receipt && h("time", { datetime: new Date(receipt.time * 1000).toISOString() }, dateTime(receipt.time)),
    h(
      "details",
      { class: "proof" },
      h("summary", {}, mark(state), h("span", { class: "proof-more" }, t("history.details"))),
      receipt && proof(app, receipt),
      h("button", { class: "button-text", type: "button", testid: "receipt-download", onclick: () => download(`record-${receipt?.index ?? "unverified"}.tlog-proof`, text) }, icon("down"), t("history.download")),
    ),
  );
}

function mark(state) {
  const [kind, sign, words, testid] = {
    checked: ["ok", "check", "history.checked", "receipt-ok"],
    pending: ["wait", "clock", "history.pendingReceipt", "receipt-pending"],
    kept: ["wait", "clock", "history.keptReceipt", "receipt-kept"],
    wrong: ["bad", "cross", "history.wrong", "receipt-wrong"],
  }[state];
  return h("span", { class: `check check-${kind}`, testid }, icon(sign), t(words));
}

function proof(app, receipt) {
  const by = h("span", {}, "…");
  app.trust.agency(receipt.agency).then(
    (agency) => (by.textContent = of(agency.name)),
    () => (by.textContent = `#${receipt.agency}`),
  );
  const { handle } = receipt.values;
  return facts([
    [t("history.index"), t("history.indexN", { index: receipt.index })],
    [t("history.time"), dateTime(receipt.time)],
    [t("history.by"), by],
    [t("history.checkpoint"), t("history.checkpointN", { size: receipt.size })],
    handle && [t("history.handle"), h("code", {}, `${hex(handle).slice(0, 16)}…`)],
  ]);
}

async function confirmWithdrawal(app, grant) {
  const lead = t("history.withdrawLead", { agency: of(grant.agency) });
  if (!(await ask({ title: t("history.withdrawTitle"), lead, yes: t("history.withdrawConfirm"), testid: "withdraw-confirm" }))) return;
  waiting(app, t("history.withdrawBusy"));
  let notice;
  try {
    const { index } = await withdraw(grant.handle, { store: app.store, trust: app.trust });
    const words = t("history.withdrawDone", { index });
    notice = h("p", { class: "notice notice-ok", role: "status", testid: "withdraw-done" }, icon("check"), words);
    say(words);
  } catch (error) {
    notice = problem(error);
  }
  await history(app, { notice });
}

const again = (app) => h("button", { class: "button button-quiet", type: "button", testid: "history-refresh", onclick: () => history(app) }, t("history.refresh"));
