// Form fields: label, hint, control, and the error right beside it.

import { t } from "./language.js";
import { h, show } from "./view.js";

let serial = 0;

/** → {element, input, value(), fail(words), clear()}. */
export function textField({ label, hint = "", testid, ...properties }) {
  const id = `field-${++serial}`;
  const error = h("p", { class: "field-error", id: `${id}-error`, role: "alert" });
  const input = h("input", {
    id,
    testid,
    type: "text",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    "aria-describedby": `${id}-hint ${id}-error`,
    ...properties,
  });
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    hint && h("p", { class: "field-hint", id: `${id}-hint` }, hint),
    input,
    error,
  );
  return {
    element,
    input,
    value: () => input.value.trim(),
    fail(words) {
      show(error, words);
      input.setAttribute("aria-invalid", "true");
      input.focus();
    },
    clear() {
      show(error);
      input.removeAttribute("aria-invalid");
    },
  };
}

export const pinField = ({ label = t("pin.label"), testid = "pin-input", ...more } = {}) =>
  textField({ label, testid, type: "password", inputmode: "numeric", maxlength: "6", pattern: "[0-9]{6}", class: "pin", ...more });

/** A form whose submit runs `onsubmit`, once at a time. */
export function form(onsubmit, ...children) {
  const element = h("form", { novalidate: true, class: "form" }, ...children);
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = [...element.querySelectorAll("button")];
    buttons.forEach((button) => (button.disabled = true));
    element.setAttribute("aria-busy", "true");
    try {
      await onsubmit();
    } finally {
      buttons.forEach((button) => (button.disabled = false));
      element.removeAttribute("aria-busy");
    }
  });
  return element;
}
