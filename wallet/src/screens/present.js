// A request to see a certificate: who, for what, by which law, which fields, how long. Then the citizen's answer.

import { page, pill, problem, say, waiting } from "../frame.js";
import { of, t } from "../language.js";
import { principalOf, usableMandates } from "../mandates.js";
import { pinPad } from "../pinpad.js";
import { refreshBackup } from "../recovery.js";
import { fieldsOf } from "../trust.js";
import { answer, decline, periods, readRequest } from "../vp.js";
import { h, icon } from "../view.js";

const SENSITIVE = 4;

export async function present(app, { params }) {
  const { visit } = app;
  waiting(app, t("present.reading"), t("present.readingLead"));
  let request;
  try {
    request = await readRequest(params, { trust: app.trust, now: app.now });
  } catch (error) {
    return visit.left || refused(app, error);
  }
  if (visit.left) return;
  const held = await app.store.all("certificates");
  const { id } = request.asked.type;
  const usable = held.filter(({ type, expires }) => type.id === id && (!expires || expires > app.now()));
  if (usable.length === 0) return nothingToShow(app, request);
  const mandates = usableMandates(held, request.matter, app.now());
  return consider(app, request, { usable, mandates });
}

function consider(app, request, here) {
  const { usable, mandates } = here;
  const { agency, matter, asked } = request;
  const { document } = matter;
  const choice = { optional: [], days: periods(request)[0], uses: 1, certificate: usable.at(-1), mandate: null };
  page(app, {
    title: t("present.title"),
    kind: "consent",
    content: [
      h(
        "section",
        { class: "sheet who-sheet" },
        h(
          "div",
          { class: "who" },
          h("span", { class: "who-icon" }, icon("building")),
          h("div", {}, h("strong", { testid: "asker" }, of(agency.name)), h("span", {}, t("present.asks", { type: of(asked.type.name) }))),
        ),
        pill("ok", t("present.verified")),
      ),
      h(
        "section",
        { class: "sheet" },
        h("h2", { testid: "matter" }, of(document.name)),
        h(
          "dl",
          { class: "facts facts-tall" },
          fact(t("present.purpose"), of(document.purpose)),
          fact(t("present.basis"), of(document.legal_basis)),
          fact(t("present.kept"), t("present.keptDays", { days: document.retention_days })),
        ),
      ),
      mandates.length > 0 && h("section", { class: "sheet" }, forWhom(mandates, choice)),
      h("section", { class: "sheet" }, h("h2", {}, t("present.fields")), fieldList(asked, choice), asked.optional > 0 && h("p", { class: "fine" }, t("present.optionalHint"))),
      usable.length > 1 && h("section", { class: "sheet" }, whichCertificate(usable, choice)),
      h("section", { class: "sheet" }, h("h2", {}, t("present.limits")), limits(request, choice), h("p", { class: "fine" }, t("present.withdrawable"))),
      h("details", { class: "sheet quiet" }, h("summary", {}, t("present.offline")), h("p", {}, of(document.offline))),
      h(
        "div",
        { class: "verdict-bar" },
        h("button", { class: "button button-quiet", type: "button", testid: "consent-decline", onclick: () => declined(app, request) }, t("present.decline")),
        h("button", { class: "button", type: "button", testid: "consent-agree", onclick: () => confirm(app, request, here, choice) }, t("present.agree")),
      ),
    ],
  });
}

const fact = (term, value) => h("div", {}, h("dt", {}, term), h("dd", {}, value));

function fieldList({ type, required, optional }, choice) {
  const row = (field, control) =>
    h(
      "li",
      {},
      h("label", { class: "toggle" }, h("span", { class: "toggle-name" }, of(field), field.grade >= SENSITIVE && h("em", {}, t("present.sensitive"))), control),
    );
  const needed = fieldsOf(type.fields, required).map((field) =>
    row(field, [h("span", { class: "toggle-word" }, t("present.required")), h("input", { type: "checkbox", class: "switch", checked: true, disabled: true, testid: `field-${field.id}` })]),
  );
  const offered = fieldsOf(type.fields, optional).map((field) => {
    const input = h("input", { type: "checkbox", class: "switch", testid: `field-${field.id}` });
    input.addEventListener("change", () => {
      choice.optional = input.checked ? [...choice.optional, field.id] : choice.optional.filter((id) => id !== field.id);
    });
    return row(field, [h("span", { class: "toggle-word" }, t("present.optional")), input]);
  });
  return h("ul", { class: "toggles", role: "list" }, needed, offered);
}

function limits(request, choice) {
  const { max_uses } = request.matter.record.values;
  const uses = segments(t("present.uses"), "uses", range(max_uses), (n) => t("present.usesN", { n }), choice.uses, (n) => (choice.uses = n));
  const words = (days) => (days === 1 ? t("present.days1") : t("present.days", { n: days }));
  const days = segments(t("present.period"), "days", periods(request), words, choice.days, (n) => (choice.days = n));
  return [uses, days];
}

/** 1…max when few; 1, a middle and the most when many. */
const range = (most) => (most <= 5 ? Array.from({ length: most }, (_, i) => i + 1) : [1, 3, most]);

function segments(legend, name, values, words, chosen, pick, key = String) {
  return h(
    "fieldset",
    { class: "segments" },
    h("legend", {}, legend),
    values.map((value, i) =>
      h(
        "label",
        {},
        h("input", { type: "radio", name, value: String(key(value, i)), checked: value === chosen, testid: `${name}-${key(value, i)}`, onchange: () => pick(value) }),
        h("span", {}, words(value)),
      ),
    ),
  );
}

function whichCertificate(usable, choice) {
  const words = (certificate) => `${of(certificate.type.name)} · ${of(certificate.agency.name)}`;
  return segments(t("present.choose"), "certificate", usable, words, choice.certificate, (picked) => (choice.certificate = picked));
}

/** Oneself, unless somebody else is picked: then the office sees both. */
function forWhom(mandates, choice) {
  const words = (mandate) => (mandate ? t("present.for", { name: principalOf(mandate) }) : t("present.forMyself"));
  const pick = segments(t("present.forWhom"), "for", [null, ...mandates], words, null, (mandate) => (choice.mandate = mandate), (_, i) => i);
  return [pick, h("p", { class: "fine" }, t("present.forHint"))];
}

function confirm(app, request, here, choice) {
  const { agency, asked } = request;
  const required = fieldsOf(asked.type.fields, asked.required);
  const shown = asked.type.fields.filter((field) => required.includes(field) || choice.optional.includes(field.id));
  const pad = pinPad({
    submit: t("present.confirm"),
    passkey: t("present.confirmPasskey"),
    check: (pin) => app.home.unlock(pin),
    checkPasskey: app.home.wallet.passkey ? () => app.home.unlockWithPasskey() : null,
    then: () => send(app, request, choice),
  });
  page(app, {
    title: t("present.confirmTitle"),
    content: [
      choice.mandate && h("p", { class: "notice notice-info", testid: "acting-for" }, icon("key"), t("present.forConfirm", { name: principalOf(choice.mandate) })),
      h("p", { class: "lead" }, t("present.confirmLead", { agency: of(agency.name), fields: shown.map(of).join(" · "), count: shown.length, uses: choice.uses, days: choice.days })),
      h("div", { class: "sheet" }, pad.element),
      h("button", { class: "button button-quiet", type: "button", onclick: () => consider(app, request, here) }, t("common.back")),
    ],
  });
  pad.focus();
}

async function send(app, request, choice) {
  const report = waiting(app, t("present.busy"));
  let done;
  try {
    done = await answer({
      request,
      certificate: choice.certificate,
      choice,
      store: app.store,
      trust: app.trust,
      home: app.home,
      now: app.now,
      report: (step, steps) => report(step, steps, t(`present.step${step}`)),
    });
  } catch (error) {
    return failed(app, error);
  }
  page(app, {
    title: t("present.done"),
    kind: "result",
    content: [
      h("div", { class: "result-mark" }, icon("check")),
      h("p", { class: "lead", testid: "present-done" }, t("present.doneLead", { agency: of(request.agency.name) })),
      h("a", { class: "button", href: "#history" }, t("present.toHistory")),
      h("a", { class: "button button-quiet", href: "#" }, t("common.home")),
    ],
  });
  say(t("present.done"));
  await refreshBackup(app);
  // OpenID4VP 1.0 §8.2: in the same browser, the citizen goes back to where the matter was begun.
  if (done.redirect) location.assign(done.redirect);
}

function declined(app, request) {
  decline(request);
  page(app, {
    title: t("present.declined"),
    kind: "result",
    content: [h("p", { class: "lead", testid: "declined" }, t("present.declinedLead")), h("a", { class: "button", href: "#" }, t("common.home"))],
  });
}

function nothingToShow(app, { asked, matter }) {
  page(app, {
    title: t("present.none"),
    back: "#",
    content: [
      h("p", { class: "lead" }, t("present.noneLead", { type: of(asked.type.name) })),
      h("div", { class: "sheet quiet" }, h("h2", {}, t("present.offline")), h("p", {}, of(matter.document.offline))),
      h("a", { class: "button", href: "#" }, t("common.home")),
    ],
  });
}

function refused(app, error) {
  page(app, {
    title: t("present.refused"),
    content: [problem(error, { testid: "refused" }), h("p", { class: "fine" }, t("present.nothing")), h("a", { class: "button", href: "#" }, t("common.home"))],
  });
}

function failed(app, error) {
  page(app, {
    title: t("present.failed"),
    content: [problem(error), h("a", { class: "button", href: "#history" }, t("present.toHistory")), h("a", { class: "button button-quiet", href: "#" }, t("common.home"))],
  });
}
