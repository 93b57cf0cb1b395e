// Deleting the account: what goes, what stays and why; then, with the PIN, it goes, and the proof stays with the citizen.

import { b64url } from "../bytes.js";
import { download, page, problem, waiting } from "../frame.js";
import { of, t } from "../language.js";
import { pinPad } from "../pinpad.js";
import { h, icon } from "../view.js";

export async function account(app) {
  const { visit } = app;
  waiting(app, t("account.reading"));
  let told;
  try {
    told = await app.home.account();
  } catch (error) {
    if (error.code === "session-missing") return app.lock();
    return visit.left || page(app, { title: t("account.title"), back: "#settings", content: [problem(error)] });
  }
  if (visit.left) return;
  const number = crypto.randomUUID();
  const salt = b64url(crypto.getRandomValues(new Uint8Array(16)));
  let proof;
  const pad = pinPad({
    submit: t("account.submit"),
    check: async (pin) => ({ proof } = await app.home.deleteAccount({ pin, number, salt })),
    then: () => done(app, { proof, number, salt }),
  });
  page(app, {
    title: t("account.title"),
    back: "#settings",
    content: [
      h("p", { class: "lead" }, t("account.lead")),
      h("section", { class: "sheet" }, h("h2", {}, t("account.goes")), h("ul", { testid: "account-goes" }, told.goes.map((part) => h("li", {}, `${of(part)}（${part.count}）`)), h("li", {}, t("account.person")))),
      h("section", { class: "sheet" }, h("h2", {}, t("account.stays")), h("ul", { testid: "account-stays" }, told.stays.map((kept) => h("li", {}, h("strong", {}, of(kept)), h("br"), h("span", { class: "fine" }, of(kept.why)))))),
      h("section", { class: "sheet" }, h("h2", {}, t("account.confirm")), h("p", { class: "fine" }, t("account.confirmLead")), pad.element),
    ],
  });
}

/** The account is gone at the home agency; now this phone forgets it too. Only the proof is left to take along. */
async function done(app, { proof, number, salt }) {
  const { base } = app.home.wallet;
  const address = `${base}/agencies/${app.home.slug}/erasures/${number}`;
  await app.store.erase();
  const text = [t("account.proofName"), `${t("account.number")}: ${number}`, `${t("account.salt")}: ${salt}`, address, "", proof, ""].join("\n");
  page(app, {
    title: t("account.done"),
    kind: "result",
    content: [
      h("div", { class: "result-mark" }, icon("check")),
      h("p", { class: "lead", testid: "account-done" }, t("account.doneLead")),
      h("button", { class: "button", type: "button", testid: "account-proof", onclick: () => download("account-deleted.txt", text) }, icon("down"), t("account.keep")),
      h("button", { class: "button button-quiet", type: "button", onclick: () => location.replace("/wallet/") }, t("common.done")),
    ],
  });
}
