// This person's phones, and the recovery code for when one is gone.

import { form, textField } from "../fields.js";
import { ask, download, facts, page, pill, problem, say, waiting } from "../frame.js";
import { dateTime, of, t } from "../language.js";
import { openBackup, readCode, restore, startBackup } from "../recovery.js";
import { recover } from "../home.js";
import { h, icon, show } from "../view.js";

const STATES = { active: "ok", locked: "bad", revoked: "off" };

export async function phones(app, { notice = null } = {}) {
  const { visit } = app;
  waiting(app, t("phones.reading"));
  let read;
  try {
    read = await app.home.phones();
  } catch (error) {
    if (error.code === "session-missing") return app.lock();
    return visit.left || page(app, { title: t("phones.title"), back: "#settings", content: [problem(error)] });
  }
  if (visit.left) return;
  const [missing, backup] = await Promise.all([app.store.get("state", "missing"), app.store.get("state", "backup")]);
  page(app, {
    title: t("phones.title"),
    back: "#settings",
    content: [
      notice,
      h("ul", { class: "stack" }, read.phones.map((phone) => h("li", {}, item(app, phone)))),
      h(
        "section",
        { class: "sheet" },
        h("h2", {}, t("phones.add")),
        h("p", { class: "fine" }, t("phones.addLead")),
        h("button", { class: "button button-quiet", type: "button", testid: "phone-add", onclick: () => add(app) }, icon("key"), t("phones.addButton")),
      ),
      recovery(app, { ...backup, known: Boolean(backup) }),
      restoring(app, missing),
    ],
  });
}

function item(app, phone) {
  const { id, name, state, ended_as, activated, last_seen, ended, assurance } = phone;
  const words = state === "revoked" ? `phones.${ended_as}` : `phones.${state}`;
  return h(
    "article",
    { class: "sheet", testid: "phone", "data-state": state },
    h("div", { class: "sheet-head" }, h("h2", {}, name || t("phones.unnamed")), phone.this ? pill("ok", t("phones.this")) : pill(STATES[state], t(words))),
    facts([
      [t("phones.level"), `${of(assurance.words)} · ${of(assurance.check)}`],
      [t("phones.activated"), dateTime(activated)],
      last_seen && [t("phones.seen"), dateTime(last_seen)],
      ended && [t("phones.ended"), dateTime(ended)],
    ]),
    phone.this && rename(app, name),
    !phone.this &&
      state !== "revoked" &&
      h(
        "div",
        { class: "buttons" },
        h("button", { class: "button button-danger", type: "button", testid: "phone-lost", onclick: () => end(app, id, true) }, t("phones.lostButton")),
        h("button", { class: "button button-quiet", type: "button", testid: "phone-end", onclick: () => end(app, id, false) }, t("phones.endButton")),
      ),
  );
}

function rename(app, name) {
  const field = textField({ label: t("phones.name"), testid: "phone-name", value: name, maxlength: "40" });
  const save = () => attempt(app, () => app.home.namePhone(field.value()), t("common.done"));
  return h("details", { class: "quiet" }, h("summary", {}, t("phones.rename")), form(save, field.element, h("button", { class: "button button-quiet", testid: "phone-rename" }, t("phones.save"))));
}

async function end(app, id, lost) {
  const key = lost ? "phones.lost" : "phones.end";
  if (!(await ask({ title: t(`${key}Title`), lead: t(`${key}Lead`), yes: t(`${key}Button`), testid: "phone-confirm" }))) return;
  await attempt(app, () => app.home.endPhone(id, lost), t(`${key}Done`));
}

async function attempt(app, act, done) {
  let notice;
  try {
    await act();
    notice = h("p", { class: "notice notice-ok", role: "status" }, icon("check"), done);
    say(done);
  } catch (error) {
    if (error.code === "session-missing") return app.lock();
    notice = problem(error);
  }
  await phones(app, { notice });
}

async function add(app) {
  let made;
  try {
    made = await app.home.addPhone();
  } catch (error) {
    if (error.code === "session-missing") return app.lock();
    return phones(app, { notice: problem(error) });
  }
  page(app, {
    title: t("phones.add"),
    back: "#settings",
    content: [
      h("p", { class: "lead" }, t("phones.codeLead")),
      h("p", { class: "sheet code-shown", testid: "phone-code" }, made.code),
      h("p", { class: "fine" }, t("phones.codeUntil", { time: dateTime(made.expires) })),
      h("button", { class: "button", type: "button", onclick: () => phones(app) }, t("common.done")),
    ],
  });
}

function recovery(app, { known, stale }) {
  return h(
    "section",
    { class: "sheet" },
    h("div", { class: "sheet-head" }, h("h2", {}, t("recovery.title")), known ? pill(stale ? "warn" : "ok", t(stale ? "recovery.stale" : "recovery.on")) : pill("warn", t("recovery.off"))),
    h("p", { class: "fine" }, t("recovery.lead")),
    h("button", { class: "button button-quiet", type: "button", testid: "recovery-make", onclick: () => make(app) }, icon("shield"), t(known ? "recovery.again" : "recovery.make")),
  );
}

async function make(app) {
  waiting(app, t("recovery.busy"));
  let code;
  try {
    code = await startBackup({ store: app.store, home: app.home });
  } catch (error) {
    if (error.code === "session-missing") return app.lock();
    return phones(app, { notice: problem(error) });
  }
  page(app, {
    title: t("recovery.yours"),
    content: [
      h("p", { class: "lead" }, t("recovery.yoursLead")),
      h("p", { class: "sheet code-shown", testid: "recovery-code" }, code),
      h("button", { class: "button button-quiet", type: "button", onclick: () => download("recovery-code.txt", `${t("app.name")}\n${t("recovery.title")}\n${code}\n`) }, icon("down"), t("recovery.save")),
      h("button", { class: "button", type: "button", testid: "recovery-kept", onclick: () => phones(app) }, t("recovery.kept")),
    ],
  });
}

function restoring(app, missing) {
  const field = recoveryField();
  const run = async () => {
    field.clear();
    const code = readCode(field.value());
    if (!code) return field.fail(t("recovery.form"));
    waiting(app, t("recovery.restoring"));
    return attempt(
      app,
      async () => {
        const backup = await openBackup(code, (asked) => recover({ ...asked, lost: false, base: app.home.wallet.base }));
        await restore(backup, { store: app.store, home: app.home });
      },
      t("recovery.restored"),
    );
  };
  return [
    missing?.length > 0 &&
      h(
        "section",
        { class: "sheet", testid: "missing" },
        h("h2", {}, t("recovery.missing")),
        h("p", { class: "fine" }, t("recovery.missingLead")),
        h("ul", {}, missing.map(({ type, agency }) => h("li", {}, `${of(type)} · ${of(agency)}`))),
      ),
    h("details", { class: "sheet quiet" }, h("summary", {}, t("recovery.restore")), h("p", { class: "fine" }, t("recovery.restoreLead")), form(run, field.element, h("button", { class: "button button-quiet", testid: "recovery-restore" }, t("recovery.restoreButton")))),
  ];
}

export const recoveryField = () =>
  textField({ label: t("recovery.code"), hint: t("recovery.codeHint"), testid: "recovery-input", autocapitalize: "characters", class: "code" });
