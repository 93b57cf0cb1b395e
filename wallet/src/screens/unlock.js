// Opening the wallet: the home agency judges the PIN; without a network the PIN only opens the display.

import { page } from "../frame.js";
import { t } from "../language.js";
import { pinPad } from "../pinpad.js";
import { refreshBackup } from "../recovery.js";
import { opensDisplay, restoreTries } from "../pin.js";
import { WalletError } from "../errors.js";
import { eraseButton } from "./settings.js";
import { h, icon } from "../view.js";

const UNREACHABLE = ["offline", "server-slow", "server-error"];

export function unlock(app, then) {
  const { citizen, passkey } = app.home.wallet;
  const pad = pinPad({
    submit: t("unlock.submit"),
    passkey: t("unlock.passkey"),
    check: (pin) => open(app, pin),
    checkPasskey: passkey && navigator.onLine ? () => app.home.unlockWithPasskey() : null,
    then: async () => {
      app.opened = true;
      await then();
      if ((await app.store.get("state", "backup"))?.stale) await refreshBackup(app);
    },
  });
  page(app, {
    title: t("unlock.title"),
    kind: "unlock",
    content: [
      h("p", { class: "lead" }, t("unlock.hello", { name: citizen.name })),
      !navigator.onLine && h("p", { class: "notice notice-info" }, icon("warn"), t("unlock.offline")),
      h("div", { class: "sheet" }, pad.element),
      h("details", { class: "sheet quiet" }, h("summary", {}, t("unlock.trouble")), h("p", { class: "fine" }, t("unlock.troubleLead")), eraseButton(app)),
    ],
  });
  pad.focus();
}

async function open(app, pin) {
  try {
    await app.home.unlock(pin);
  } catch (error) {
    if (!UNREACHABLE.includes(error.code)) throw error;
    if (!(await opensDisplay(app.store, pin))) throw new WalletError("pin-wrong-offline", { cause: error });
    return;
  }
  await restoreTries(app.store);
}
