// The certificates on this phone, and one of them in full. Values stay covered until they are tapped.

import { guilloche } from "../card.js";
import { ask, download, facts, page, say } from "../frame.js";
import { date, dateTime, of, t } from "../language.js";
import { findAnchor } from "../vci.js";
import { WalletError } from "../errors.js";
import { h, icon, show } from "../view.js";

export async function list(app) {
  const certificates = await app.store.all("certificates");
  const grants = await app.store.all("grants");
  const cards = certificates.map((certificate) =>
    h(
      "li",
      {},
      h("a", { class: "card-link", href: `#certificates/${certificate.id}`, testid: "certificate" }, face(app, certificate)),
    ),
  );
  page(app, {
    title: t("home.title"),
    tab: "home",
    content: [
      app.trust.state?.alarm && alarm(app),
      cards.length > 0 ? h("ul", { class: "stack" }, cards) : empty(),
      h("a", { class: "button", href: "#scan", testid: "home-scan" }, icon("scan"), t("home.scan")),
      recent(grants),
    ],
  });
  if ((await lookForAnchors(app, certificates)).length > 0) await list(app);
}

export async function detail(app, { id }) {
  const certificate = await app.store.get("certificates", id);
  if (!certificate) return app.go("#");
  const state = { all: false };
  const rows = certificate.type.fields.filter((field) => field.id in certificate.claims).map((field) => fieldRow(field, certificate.claims[field.id]));
  const toggle = h("button", { class: "button-text", type: "button", testid: "show-all" }, t("detail.showAll"));
  toggle.addEventListener("click", () => {
    state.all = !state.all;
    rows.forEach((row) => row.set(state.all));
    toggle.textContent = t(state.all ? "detail.hideAll" : "detail.showAll");
  });
  const front = h("div", {});
  const proof = h("div", {});
  const draw = (drawn) => {
    show(front, face(app, drawn));
    show(proof, proofOf(drawn));
  };
  draw(certificate);
  page(app, {
    title: of(certificate.type.name),
    back: "#",
    content: [
      front,
      h("section", { class: "sheet" }, h("div", { class: "sheet-head" }, h("h2", {}, t("detail.fields")), toggle), h("ul", { class: "rows" }, rows.map((row) => row.element))),
      h("section", { class: "sheet" }, h("h2", {}, t("detail.proof")), proof),
      h("button", { class: "button button-quiet", type: "button", testid: "certificate-remove", onclick: () => remove(app, certificate) }, t("detail.remove")),
    ],
  });
  const [found] = await lookForAnchors(app, [certificate]);
  if (found) draw(found);
}

/** The card's face: no personal data but the owner's masked name. Without `claims` it is only on offer. */
export function face(app, { type, agency, expires, anchor, claims }) {
  const expired = expires && expires <= app.now();
  const [sign, state] = expired ? ["warn", "home.expired"] : anchor ? ["check", "home.anchored"] : ["clock", "home.pending"];
  return h(
    "article",
    { class: `card card-${type.number % 4}` },
    guilloche(type.number),
    h("div", { class: "card-top" }, h("span", { class: "card-issuer" }, of(agency.name)), icon("shield")),
    h("div", { class: "card-name" }, h("strong", {}, type.name.zh), h("span", { lang: "en" }, type.name.en)),
    claims
      ? h(
          "div",
          { class: "card-foot" },
          h("span", {}, h("small", {}, t("home.validUntil")), expires ? date(expires) : "—"),
          h("span", { class: "card-owner" }, claims.principal_name ? t("home.for", { name: covered(claims.principal_name) }) : covered(claims.name)),
          h("span", { class: "card-state" }, icon(sign), t(state)),
        )
      : h("div", { class: "card-foot" }, h("span", { class: "card-state" }, icon("down"), t("home.offered"))),
  );
}

const covered = (name) => (name ? `${[...name][0]}${"＊".repeat(Math.max([...name].length - 1, 1))}` : "");

function fieldRow(field, value) {
  const shown = h("span", { class: "row-value" });
  const button = h("button", { class: "row", type: "button", testid: `field-${field.id}` }, h("span", { class: "row-label" }, of(field)), shown, icon("eye"));
  let open = false;
  const set = (next) => {
    open = next;
    shown.className = open ? "row-value" : "row-value row-covered";
    show(shown, open ? String(value) : [h("span", { "aria-hidden": "true" }, "••••••"), h("span", { class: "visually-hidden" }, t("detail.masked"))]);
    button.setAttribute("aria-pressed", String(open));
    button.lastChild.replaceWith(icon(open ? "hidden" : "eye"));
  };
  button.addEventListener("click", () => set(!open));
  set(false);
  return { element: h("li", {}, button), set };
}

function proofOf({ agency, anchor, issued, expires, claimed, type }) {
  return [
    h("p", { class: "check check-ok" }, icon("check"), t("detail.proofOk", { name: of(agency.name) })),
    anchor
      ? h("p", { class: "check check-ok", testid: "anchor-ok" }, icon("check"), t("detail.anchorOk", { index: anchor.index }))
      : h("p", { class: "check check-wait" }, icon("clock"), t("detail.anchorWait")),
    facts([
      [t("detail.type"), `${of(type.name)} · v${type.version}`],
      [t("detail.validity"), `${date(issued)} – ${expires ? date(expires) : "—"}`],
      anchor && [t("detail.anchorTime"), dateTime(anchor.time)],
      [t("detail.claimed"), dateTime(claimed)],
    ]),
    anchor &&
      h(
        "button",
        { class: "button-text", type: "button", onclick: () => download(`issue-${anchor.index}.tlog-proof`, anchor.receipt) },
        icon("down"),
        t("history.download"),
      ),
  ];
}

export async function lookForAnchors(app, certificates) {
  const { visit } = app;
  const found = [];
  for (const certificate of certificates.filter(({ anchor }) => !anchor)) {
    try {
      const looked = await findAnchor(certificate, { store: app.store, trust: app.trust });
      if (looked.anchor) found.push(looked);
    } catch (error) {
      // Looking again next time is all there is to do; a contradiction has raised its own alarm.
      if (!(error instanceof WalletError)) throw error;
    }
  }
  return visit.left ? [] : found;
}

async function remove(app, certificate) {
  if (!(await ask({ title: t("detail.remove"), lead: t("detail.removeLead"), yes: t("detail.remove"), testid: "remove-confirm" }))) return;
  await app.store.remove("certificates", certificate.id);
  await app.store.remove("keys", certificate.id);
  say(t("common.done"));
  app.go("#");
}

/** What was agreed to last, from the phone's own memory; History has it with its proofs. */
function recent(grants) {
  const latest = grants.filter(({ given, words }) => given && words).sort((a, b) => b.given - a.given).slice(0, 3);
  if (latest.length === 0) return null;
  const row = ({ given, words }) =>
    h("li", {}, h("a", { href: "#history" }, h("strong", {}, of(words.matter)), h("span", {}, dateTime(given)), h("span", {}, of(words.agency))));
  return h("section", { class: "sheet" }, h("h2", {}, t("home.recent")), h("ul", { class: "recent" }, latest.map(row)));
}

export const alarm = (app) =>
  h(
    "a",
    { class: "notice notice-bad", href: "#settings" },
    icon("warn"),
    h("div", {}, h("strong", {}, t("settings.alarm")), h("p", {}, t("settings.alarmLead", { time: dateTime(app.trust.state.alarm.at) }))),
  );

const empty = () =>
  h("div", { class: "empty" }, h("div", { class: "empty-art" }, icon("cards")), h("h2", {}, t("home.empty")), h("p", {}, t("home.emptyLead")));
