// Finding a QR code: camera, picture or pasted link. The camera starts only when asked, and stops on leaving.

import { form, textField } from "../fields.js";
import { page, problem, say } from "../frame.js";
import { t } from "../language.js";
import { routeOf } from "../link.js";
import { openScanner, readPicture } from "../scan.js";
import { h, icon, show } from "../view.js";

export function scan(app) {
  const video = h("video", { playsinline: true, muted: true, "aria-label": t("scan.video"), hidden: true });
  const trouble = h("div", { role: "alert" });
  const start = h("button", { class: "button", type: "button", testid: "scan-start" }, icon("scan"), t("scan.start"));
  const link = textField({ label: t("scan.text"), testid: "scan-text", type: "url", inputmode: "url" });
  const photo = h("input", { type: "file", accept: "image/*", class: "visually-hidden", id: "photo", testid: "scan-photo" });

  const found = (text) => {
    const route = routeOf(text, location.origin);
    if (!route) return false;
    app.go(route);
    return true;
  };
  start.addEventListener("click", async () => {
    show(trouble);
    start.disabled = true;
    try {
      const { visit } = app;
      const scanner = await openScanner(video);
      if (visit.left) return scanner.stop();
      app.onleave(() => scanner.stop());
      video.hidden = false;
      document.querySelector(".viewfinder").classList.add("viewfinder-on");
      say(t("scan.looking"));
      start.hidden = true;
      await scanner.until((text) => found(text) || (show(trouble, h("p", { class: "field-error" }, t("scan.foreign"))), false));
    } catch (error) {
      start.disabled = false;
      show(trouble, error.name === "NotAllowedError" || error.name === "NotFoundError" ? h("p", { class: "field-error" }, t("scan.denied")) : problem(error));
    }
  });
  photo.addEventListener("change", async () => {
    const text = await readPicture(photo.files[0]);
    if (!text || !found(text)) show(trouble, h("p", { class: "field-error" }, t(text ? "scan.foreign" : "scan.none")));
  });
  page(app, {
    title: t("scan.title"),
    tab: app.home.activated ? "scan" : null,
    back: app.home.activated ? null : "#",
    content: [
      h("p", { class: "lead" }, t("scan.lead")),
      h("div", { class: "viewfinder" }, video, h("span", { class: "viewfinder-frame", "aria-hidden": "true" }), start),
      trouble,
      h(
        "div",
        { class: "sheet" },
        h("div", {}, photo, h("label", { class: "button button-quiet", for: "photo" }, icon("cards"), t("scan.photo"))),
        form(
          () => (link.clear(), found(link.value()) || link.fail(t("scan.foreign"))),
          link.element,
          h("button", { class: "button button-quiet", testid: "scan-open" }, icon("link"), t("scan.open")),
        ),
      ),
    ],
  });
}
