// Small behaviours of every page: copy buttons, print buttons, countdowns, the loading bar.
"use strict";

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.dataset.done = "";
    setTimeout(() => delete copy.dataset.done, 1500);
  }
  if (event.target.closest("[data-print]")) window.print();
});

// <time data-until="ISO time" data-over="words when it has passed">
function tick() {
  for (const clock of document.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.round((Date.parse(clock.dataset.until) - Date.now()) / 1000));
    clock.textContent =
      left === 0 && clock.dataset.over
        ? clock.dataset.over
        : `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    clock.closest(".qr-panel")?.toggleAttribute("data-over", left === 0);
  }
}
tick();
setInterval(tick, 1000);

let busy = 0;
const bar = () => document.getElementById("page-progress")?.toggleAttribute("data-busy", busy > 0);
document.addEventListener("htmx:beforeRequest", () => (busy++, bar()));
document.addEventListener("htmx:afterRequest", () => ((busy = Math.max(0, busy - 1)), bar()));

// A form pressed once is sent once; the button says so by looking busy.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button && !event.target.hasAttribute("hx-post")) setTimeout(() => button.setAttribute("aria-busy", "true"));
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form button[aria-busy]")) button.removeAttribute("aria-busy");
});
