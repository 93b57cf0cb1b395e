// Receiving a certificate: who issues it, what is in it, the transaction code, and it is on the phone.

import { face, lookForAnchors } from "./certificates.js";
import { form, textField } from "../fields.js";
import { page, pill, problem, say, waiting } from "../frame.js";
import { explainShort, of, t } from "../language.js";
import { refreshBackup } from "../recovery.js";
import { claim, readOffer } from "../vci.js";
import { h, icon, show } from "../view.js";

export async function offer(app, { params }) {
  const { visit } = app;
  waiting(app, t("offer.reading"));
  let offered;
  try {
    offered = await readOffer(params, app.trust);
  } catch (error) {
    return visit.left || refused(app, error);
  }
  return visit.left || consider(app, offered);
}

function consider(app, offered, error = null) {
  const { agency, type, grant } = offered;
  const wanted = grant.tx_code;
  const code =
    wanted &&
    textField({
      label: t("offer.tx"),
      hint: t("offer.txHint"),
      testid: "tx-code",
      class: "code",
      inputmode: wanted.input_mode === "text" ? "text" : "numeric",
      maxlength: String(wanted.length ?? 32),
    });
  const trouble = h("div", {});
  const accept = () => {
    code?.clear();
    if (code && !code.value()) return code.fail(t("offer.txMissing"));
    return receive(app, offered, code?.value());
  };
  page(app, {
    title: t("offer.title"),
    back: "#",
    content: [
      face(app, { type, agency, expires: null, anchor: null, claims: null }),
      h(
        "div",
        { class: "sheet" },
        h("div", { class: "who" }, h("span", { class: "who-icon" }, icon("building")), h("div", {}, h("strong", {}, of(agency.name)), pill("ok", t("offer.onLedger")))),
        h("p", { class: "fine" }, `${t("offer.fields", { count: type.fields.length })}：${type.fields.map(of).join(" · ")}`),
      ),
      h(
        "div",
        { class: "sheet" },
        trouble,
        form(
          accept,
          code?.element,
          h("button", { class: "button", testid: "offer-accept" }, t("offer.accept")),
          h("a", { class: "button button-quiet", href: "#", testid: "offer-decline" }, t("offer.decline")),
        ),
      ),
    ],
  });
  if (!error) return;
  if (code && error.code?.startsWith("tx-code")) code.fail(explainShort(error));
  else show(trouble, problem(error));
}

async function receive(app, offered, txCode) {
  const report = waiting(app, t("offer.busy"), t("offer.busyLead"));
  let certificate;
  try {
    certificate = await claim({ offered, txCode, store: app.store, trust: app.trust, now: app.now, report });
  } catch (error) {
    return consider(app, offered, error);
  }
  const front = h("div", {}, face(app, certificate));
  page(app, {
    title: t("offer.done"),
    kind: "result",
    content: [
      h("div", { class: "result-mark" }, icon("check")),
      h("p", { class: "lead", testid: "offer-done" }, t("offer.doneLead")),
      front,
      h("a", { class: "button", href: `#certificates/${certificate.id}`, testid: "offer-view" }, t("offer.view")),
      h("a", { class: "button button-quiet", href: "#" }, t("common.home")),
    ],
  });
  say(t("offer.done"));
  await refreshBackup(app);
  const [found] = await lookForAnchors(app, [certificate]);
  if (found) show(front, face(app, found));
}

function refused(app, error) {
  page(app, { title: t("offer.title"), back: "#", content: [problem(error), h("a", { class: "button", href: "#" }, t("common.home"))] });
}
