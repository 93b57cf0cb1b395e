// The wallet: opens the store, and draws the screen the address names. The part after # never reaches a server.

import { page, problem } from "./frame.js";
import { Home } from "./home.js";
import { t } from "./language.js";
import { parseRoute } from "./link.js";
import { drawRoute } from "./screens/routes.js";
import { openStore } from "./store.js";
import { Trust } from "./trust.js";
import { h } from "./view.js";

/** Out of sight for longer than this, the wallet locks. */
const AWAY_MS = 120_000;

class App {
  opened = false;
  route = parseRoute("");
  /** The current visit to a screen; `left` once another has begun, so that late answers draw nothing. */
  visit = { left: false };
  #leaving = [];
  #away = 0;

  now = () => Math.floor(Date.now() / 1000);

  async start() {
    this.store = await openStore();
    this.trust = await Trust.open(this.store);
    this.home = await Home.open(this.store, this.now);
    addEventListener("hashchange", () => this.draw());
    addEventListener("online", () => document.querySelector(".offline")?.setAttribute("hidden", ""));
    addEventListener("offline", () => document.querySelector(".offline")?.removeAttribute("hidden"));
    document.addEventListener("visibilitychange", () => this.#seen());
    await this.draw();
  }

  go(hash) {
    if (location.hash === hash || (hash === "#" && !location.hash)) return this.draw();
    location.hash = hash;
  }

  /** What a screen must end when it is left, such as the camera. */
  onleave(end) {
    this.#leaving.push(end);
  }

  lock() {
    this.opened = false;
    this.home.forget();
    return this.draw();
  }

  resume() {
    return this.route.name === "activate" ? this.go("#") : this.draw();
  }

  redraw() {
    return this.draw();
  }

  async draw() {
    this.#leaving.splice(0).forEach((end) => end());
    this.route = parseRoute(location.hash);
    this.visit.left = true;
    const visit = (this.visit = { left: false });
    try {
      await drawRoute(this, this.route);
    } catch (error) {
      if (visit.left) return;
      page(this, {
        title: t("app.name"),
        content: [problem(error), h("button", { class: "button", type: "button", onclick: () => this.draw() }, t("common.retry"))],
      });
    }
  }

  #seen() {
    if (document.hidden) this.#away = Date.now();
    else if (this.opened && this.#away && Date.now() - this.#away > AWAY_MS) this.lock();
  }
}

const app = new App();
await app.start();

if ("serviceWorker" in navigator) {
  // Without it the wallet works, only not offline.
  navigator.serviceWorker.register("/wallet/sw.js", { scope: "/wallet/" }).catch((error) => console.warn(error));
}
