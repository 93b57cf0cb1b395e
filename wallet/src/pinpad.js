// Asking for the PIN or the passkey, for opening the wallet and for each agreement.

import { form, pinField } from "./fields.js";
import { explainShort, t } from "./language.js";
import { PIN_FORM } from "./pin.js";
import { h, icon } from "./view.js";

/**
 * `check(pin)` and `checkPasskey()` throw when refused; `then()` runs once one of them did not.
 * The refusal is shown beside the field, with the tries left.
 */
export function pinPad({ submit, passkey, check, checkPasskey, then }) {
  const pin = pinField();
  const bar = h("progress", { class: "thin", hidden: true, "aria-label": t("unlock.busy") });
  const attempt = async (run) => {
    pin.clear();
    bar.hidden = false;
    try {
      await run();
    } catch (error) {
      pin.input.value = "";
      pin.fail(explainShort(error));
      return;
    } finally {
      bar.hidden = true;
    }
    await then();
  };
  const element = form(
    () => (PIN_FORM.test(pin.value()) ? attempt(() => check(pin.value())) : pin.fail(t("pin.form"))),
    pin.element,
    bar,
    h("button", { class: "button", testid: "pin-submit" }, submit),
    checkPasskey &&
      h(
        "button",
        { class: "button button-quiet", type: "button", testid: "passkey-use", onclick: () => attempt(checkPasskey) },
        icon("key"),
        passkey,
      ),
  );
  return { element, focus: () => pin.input.focus() };
}
