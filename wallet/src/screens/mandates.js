// Letting somebody act for me, seeing what they did, and ending it.

import { form, textField } from "../fields.js";
import { ask, facts, page, pill, problem, say, waiting } from "../frame.js";
import { date, dateTime, of, t } from "../language.js";
import { admitting, statement } from "../mandates.js";
import { h, icon, show } from "../view.js";

const STATES = { live: "ok", withdrawn: "off", expired: "off", "phone-lost": "bad" };
const DAY_MS = 86_400_000;

export async function mandates(app, { notice = null } = {}) {
  const { visit } = app;
  waiting(app, t("mandates.reading"));
  let given;
  try {
    ({ mandates: given } = await app.home.mandates());
  } catch (error) {
    if (error.code === "session-missing") return app.lock();
    return visit.left || page(app, { title: t("mandates.title"), back: "#settings", content: [problem(error)] });
  }
  if (visit.left) return;
  page(app, {
    title: t("mandates.title"),
    back: "#settings",
    content: [
      notice,
      h("p", { class: "lead" }, t("mandates.lead")),
      h("button", { class: "button", type: "button", testid: "mandate-new", onclick: () => compose(app) }, icon("key"), t("mandates.new")),
      given.length === 0
        ? h("p", { class: "fine" }, t("mandates.none"))
        : h("ul", { class: "stack" }, given.map((mandate) => h("li", {}, item(app, mandate)))),
    ],
  });
}

function item(app, { id, agent, matters, not_after, state, uses }) {
  return h(
    "article",
    { class: "sheet", testid: "mandate", "data-state": state },
    h("div", { class: "sheet-head" }, h("h2", {}, agent.name), pill(STATES[state], t(`mandates.${state}`))),
    h("p", { class: "fine" }, matters.map(of).join(" · ") || t("mandates.all")),
    facts([
      [t("mandates.until"), date(not_after)],
      [t("mandates.uses"), t("mandates.usesN", { n: uses.length })],
      uses.length > 0 && [t("mandates.last"), dateTime(uses[0].at)],
    ]),
    uses.length > 0 && h("a", { class: "button-text", href: "#history" }, icon("clock"), t("mandates.seeUses")),
    state !== "withdrawn" && h("button", { class: "button button-danger", type: "button", testid: "mandate-withdraw", onclick: () => end(app, id, agent) }, t("mandates.withdraw")),
  );
}

async function end(app, id, agent) {
  if (!(await ask({ title: t("mandates.withdrawTitle"), lead: t("mandates.withdrawLead", { name: agent.name }), yes: t("mandates.withdraw"), testid: "mandate-confirm" }))) return;
  waiting(app, t("mandates.ending"));
  let notice;
  try {
    const { closed } = await app.home.withdrawMandate(id);
    const words = t("mandates.ended", { closed });
    notice = h("p", { class: "notice notice-ok", role: "status", testid: "mandate-ended" }, icon("check"), words);
    say(words);
  } catch (error) {
    if (error.code === "session-missing") return app.lock();
    notice = problem(error);
  }
  await mandates(app, { notice });
}

async function compose(app) {
  let matters;
  try {
    matters = await admitting(app.home.wallet.base);
  } catch (error) {
    return mandates(app, { notice: problem(error) });
  }
  const name = textField({ label: t("mandates.agentName"), testid: "agent-name", maxlength: "40" });
  const number = textField({ label: t("mandates.agentNumber"), hint: t("mandates.agentHint"), testid: "agent-number", maxlength: "18", autocapitalize: "characters" });
  const [soon, latest] = [30, 365].map((days) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10));
  const until = textField({ label: t("mandates.lastDay"), testid: "mandate-until", type: "date", value: soon, max: latest });
  const chosen = new Set(matters.length === 1 ? [matters[0].number] : []);
  const choice = matters.map((matter) =>
    h(
      "li",
      {},
      h(
        "label",
        { class: "toggle" },
        h("span", { class: "toggle-name" }, of(matter.name)),
        h("input", { type: "checkbox", class: "switch", testid: `mandate-matter-${matter.number}`, checked: chosen.has(matter.number), onchange: ({ target }) => (target.checked ? chosen.add(matter.number) : chosen.delete(matter.number)) }),
      ),
    ),
  );
  const trouble = h("div", { role: "alert" });
  const submit = async () => {
    [name, number, until].forEach((field) => field.clear());
    show(trouble);
    if (!name.value()) return name.fail(t("mandates.nameMissing"));
    if (!/^[0-9]{17}[0-9Xx]$/.test(number.value())) return number.fail(t("mandates.numberForm"));
    if (chosen.size === 0) return show(trouble, h("p", { class: "field-error" }, t("mandates.matterMissing")));
    try {
      const agent = { name: name.value(), number: number.value() };
      const signed = await statement({ store: app.store, home: app.home, now: app.now(), agent, matters: [...chosen], until: until.value() });
      return offered(app, await app.home.giveMandate(signed));
    } catch (error) {
      if (error.code === "session-missing") return app.lock();
      if (error.params?.where === "number") return number.fail(t("mandates.numberWrong"));
      show(trouble, problem(error));
    }
  };
  page(app, {
    title: t("mandates.new"),
    back: "#settings",
    content: [
      h("p", { class: "lead" }, t("mandates.newLead")),
      form(
        submit,
        h("section", { class: "sheet" }, h("h2", {}, t("mandates.who")), name.element, number.element),
        h("section", { class: "sheet" }, h("h2", {}, t("mandates.what")), h("ul", { class: "toggles", role: "list" }, choice), until.element),
        trouble,
        h("button", { class: "button", testid: "mandate-sign" }, icon("shield"), t("mandates.sign")),
      ),
    ],
  });
}

/** Shown once: the agent scans the code, and is told the six digits. */
function offered(app, { mandate, offer }) {
  page(app, {
    title: t("mandates.done"),
    content: [
      h("p", { class: "lead" }, t("mandates.doneLead", { name: mandate.agent.name })),
      h("div", { class: "sheet" }, h("img", { class: "qr-shown", src: offer.qr, alt: t("mandates.qr") })),
      h("div", { class: "sheet" }, h("h2", {}, t("offer.tx")), h("p", { class: "code-shown", testid: "mandate-code", "data-link": offer.wallet_url }, offer.tx_code), h("p", { class: "fine" }, t("mandates.codeHint", { time: dateTime(offer.expires) }))),
      h("button", { class: "button", type: "button", testid: "mandate-handed", onclick: () => mandates(app) }, t("common.done")),
    ],
  });
  say(t("mandates.done"));
}
