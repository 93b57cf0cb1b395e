// First use: the code from the counter, a PIN, and this phone is bound to its owner.

import { form, pinField, textField } from "../fields.js";
import { page, problem, say, waiting } from "../frame.js";
import { t } from "../language.js";
import { PIN_FORM, isWeak } from "../pin.js";
import { h, icon, show } from "../view.js";

export function welcome(app, { params = new URLSearchParams() } = {}) {
  const code = textField({
    label: t("welcome.code"),
    hint: t("welcome.codeHint"),
    testid: "activate-code",
    value: params.get("code") ?? "",
    autocapitalize: "characters",
    class: "code",
  });
  const next = () => {
    code.clear();
    if (!code.value()) return code.fail(t("welcome.codeMissing"));
    return choosePin(app, code.value());
  };
  page(app, {
    title: t("welcome.title"),
    kind: "welcome",
    content: [
      h("p", { class: "lead" }, t("welcome.lead")),
      h(
        "ul",
        { class: "points" },
        [["key", 1], ["eye", 2], ["shield", 3]].map(([sign, n]) => h("li", {}, icon(sign), t(`welcome.point${n}`))),
      ),
      h(
        "div",
        { class: "sheet" },
        form(next, code.element, h("button", { class: "button", testid: "activate-next" }, t("common.next"))),
        h("a", { class: "button button-quiet", href: "#scan" }, icon("scan"), t("nav.scan")),
      ),
      h("a", { class: "button button-quiet", href: "#lost", testid: "welcome-lost" }, icon("warn"), t("welcome.lost")),
      h("p", { class: "fine" }, t("welcome.paper")),
    ],
  });
}

function choosePin(app, code, error = null) {
  const pin = pinField();
  const again = pinField({ label: t("pin.confirm"), testid: "pin-confirm" });
  const submit = () => {
    pin.clear();
    again.clear();
    if (!PIN_FORM.test(pin.value())) return pin.fail(t("pin.form"));
    if (isWeak(pin.value())) return pin.fail(t("pin.weak"));
    if (pin.value() !== again.value()) return again.fail(t("pin.differs"));
    return activate(app, code, pin.value());
  };
  const trouble = h("div", {});
  page(app, {
    title: t("pin.setTitle"),
    content: [
      h("p", { class: "lead" }, t("pin.setLead")),
      h(
        "div",
        { class: "sheet" },
        trouble,
        form(submit, pin.element, again.element, h("button", { class: "button", testid: "pin-submit" }, t("pin.activate"))),
      ),
    ],
  });
  if (error) show(trouble, problem(error));
  pin.input.focus();
}

async function activate(app, code, pin) {
  waiting(app, t("activate.busy"), t("activate.busyLead"));
  try {
    await app.home.activate({ code, pin, trust: app.trust });
  } catch (error) {
    if (["activation-wrong", "activation-throttled"].includes(error.code)) {
      welcome(app, { params: new URLSearchParams({ code }) });
      show(document.querySelector(".sheet"), problem(error), ...document.querySelector(".sheet").children);
    } else {
      choosePin(app, code, error);
    }
    return;
  }
  await navigator.storage?.persist?.();
  app.opened = true;
  const title = t("activate.done", { name: app.home.wallet.citizen.name });
  page(app, {
    title,
    kind: "result",
    content: [
      h("div", { class: "result-mark" }, icon("check")),
      h("p", { class: "lead" }, t("activate.doneLead")),
      h("button", { class: "button", type: "button", testid: "activate-done", onclick: () => app.resume() }, t("activate.open")),
    ],
  });
  say(title);
}
