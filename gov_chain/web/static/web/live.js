// Live parts of a page. <div data-live="ledger/all" data-src="/audit/rows"> listens to
// /live/ledger/all and, whenever it connects and at each event, asks data-src again and
// puts the answer inside itself (data-swap: another htmx swap style; empty data-src: no request,
// only the "live" DOM event with the event as `detail`). <span data-live-state="ledger/all">
// gets data-on while connected. Events say that something changed, never what: a server that
// was unreachable for a while loses nothing.
"use strict";

const feeds = new Map();

class Feed {
  constructor(topic) {
    this.topic = topic;
    this.wait = 500;
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/live/${this.topic}`);
    socket.onopen = () => {
      this.state(true);
      // Also the first time: something may have happened between the page and this connection.
      this.refresh({});
      this.wait = 500;
    };
    socket.onmessage = (message) => this.refresh(JSON.parse(message.data));
    socket.onclose = () => {
      this.state(false);
      if (!this.elements().length) return feeds.delete(this.topic);
      setTimeout(() => this.open(), this.wait + Math.random() * 300);
      this.wait = Math.min(this.wait * 2, 15000);
    };
  }

  elements() {
    return [...document.querySelectorAll("[data-live]")].filter((element) => element.dataset.live === this.topic);
  }

  state(on) {
    for (const mark of document.querySelectorAll("[data-live-state]"))
      if (mark.dataset.liveState === this.topic) mark.toggleAttribute("data-on", on);
  }

  refresh(event) {
    for (const element of this.elements()) {
      element.dispatchEvent(new CustomEvent("live", { bubbles: true, detail: event }));
      if (element.dataset.src) fetchInto(element);
    }
  }
}

// One request at a time for an element; events that arrive meanwhile become one more request.
async function fetchInto(element) {
  if (element.liveBusy) return void (element.liveAgain = true);
  element.liveBusy = true;
  do {
    element.liveAgain = false;
    try {
      await htmx.ajax("GET", element.dataset.src, { target: element, swap: element.dataset.swap || "innerHTML" });
    } catch {
      // The connection is gone; the feed's reconnection asks again.
    }
  } while (element.liveAgain && element.isConnected);
  element.liveBusy = false;
}

function listen() {
  for (const element of document.querySelectorAll("[data-live]")) {
    const topic = element.dataset.live;
    if (topic && !feeds.has(topic)) feeds.set(topic, new Feed(topic));
  }
}
listen();
document.addEventListener("htmx:load", listen);
