// Language, passkey, the ledger this phone trusts, and the way out.

import { ask, download, facts, page, pill, problem, say } from "../frame.js";
import { passkeysWork } from "../home.js";
import { dateTime, language, of, speak, t } from "../language.js";
import { h, icon, show } from "../view.js";

export function settings(app) {
  const { wallet } = app.home;
  page(app, {
    title: t("settings.title"),
    tab: "settings",
    content: [
      section(
        "owner",
        facts([
          [t("settings.owner"), wallet.citizen.name],
          [t("settings.homeAgency"), of(wallet.home.name)],
          wallet.assurance && [t("phones.level"), `${of(wallet.assurance.words)} · ${of(wallet.assurance.check)}`],
        ]),
        lockButton(app),
      ),
      section("phones", h("p", { class: "fine" }, t("settings.phonesLead")), h("a", { class: "button button-quiet", href: "#phones", testid: "phones" }, icon("key"), t("settings.phonesOpen"))),
      section("language", languages(app)),
      section("passkey", h("p", { class: "fine" }, t("settings.passkeyLead")), passkey(app)),
      section("pin", h("p", { class: "fine" }, t("settings.pinLead"))),
      section("ledger", ...ledger(app)),
      section("mandates", h("p", { class: "fine" }, t("settings.mandatesLead")), h("a", { class: "button button-quiet", href: "#mandates", testid: "mandates" }, icon("key"), t("settings.mandatesOpen"))),
      section("account", h("p", { class: "fine" }, t("settings.accountLead")), h("a", { class: "button button-quiet", href: "#account", testid: "account" }, icon("warn"), t("settings.accountOpen"))),
      h("section", { class: "sheet" }, h("h2", {}, t("settings.erase")), h("p", { class: "fine" }, t("settings.eraseLead")), eraseButton(app)),
    ],
  });
}

const section = (name, ...content) => h("section", { class: "sheet" }, h("h2", {}, t(name === "owner" ? "settings.owner" : `settings.${name}`)), content);

const lockButton = (app) =>
  h("button", { class: "button button-quiet", type: "button", testid: "lock", onclick: () => app.lock() }, t("settings.lock"));

function languages(app) {
  const choice = (code, words) =>
    h(
      "label",
      { lang: code === "zh" ? "zh-Hans" : "en" },
      h("input", { type: "radio", name: "language", value: code, checked: language() === code, testid: `lang-${code}`, onchange: () => (speak(code), app.redraw()) }),
      h("span", {}, words),
    );
  return h("fieldset", { class: "segments" }, h("legend", { class: "visually-hidden" }, t("settings.language")), choice("zh", "中文"), choice("en", "English"));
}

function passkey(app) {
  if (!passkeysWork()) return h("p", { class: "fine" }, t("settings.passkeyNone"));
  const place = h("div", { class: "form" });
  const draw = (error = null) =>
    show(
      place,
      app.home.wallet.passkey && h("p", {}, pill("ok", t("settings.passkeyOn"))),
      error && problem(error),
      h("button", { class: "button button-quiet", type: "button", testid: "passkey-add", onclick: add }, icon("key"), t("settings.passkeyAdd")),
    );
  const add = async () => {
    try {
      await app.home.addPasskey();
    } catch (error) {
      if (error.code === "session-missing") return app.lock();
      return draw(error);
    }
    say(t("settings.passkeyOn"));
    return draw();
  };
  draw();
  return place;
}

function ledger(app) {
  const { alarm, vkey, ledgerId, checkpoint, checkedAt } = app.trust.state;
  const result = h("div", { role: "status" });
  const check = async () => {
    show(result, h("progress", { class: "thin", "aria-label": t("settings.check") }));
    try {
      const { size } = await app.trust.advance();
      show(result, h("p", { class: "check check-ok", testid: "ledger-ok" }, icon("check"), t("settings.checkOk", { size })));
    } catch (error) {
      show(result, problem(error));
    }
  };
  return [
    alarm &&
      h(
        "div",
        { class: "notice notice-bad", testid: "ledger-alarm" },
        icon("warn"),
        h(
          "div",
          {},
          h("strong", {}, t("settings.alarm")),
          h("p", {}, t("settings.alarmLead", { time: dateTime(alarm.at) })),
          h("button", { class: "button-text", type: "button", onclick: () => download("ledger-evidence.txt", `${alarm.older}\n\n${alarm.newer}`) }, icon("down"), t("settings.alarmDownload")),
        ),
      ),
    facts([
      [t("settings.ledgerName"), vkey.split("+")[0]],
      [t("settings.ledgerId"), h("code", {}, `${ledgerId.slice(0, 16)}…`)],
      [t("settings.checkpoint"), t("settings.checkpointN", { size: checkpoint.split("\n")[1], time: dateTime(checkedAt) })],
    ]),
    h("button", { class: "button button-quiet", type: "button", testid: "ledger-check", onclick: check }, icon("shield"), t("settings.check")),
    result,
  ];
}

export function eraseButton(app) {
  const erase = async () => {
    const sure = await ask({ title: t("settings.erase"), lead: t("settings.eraseLead"), yes: t("settings.eraseConfirm"), testid: "erase-confirm" });
    if (!sure) return;
    await app.store.erase();
    location.replace("/wallet/");
  };
  return h("button", { class: "button button-danger", type: "button", testid: "erase", onclick: erase }, t("settings.erase"));
}
