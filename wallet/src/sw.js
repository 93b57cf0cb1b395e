// The service worker: the shell comes from the cache first, so that certificates can be looked at without a network.
// Nothing else is cached: protocol and ledger answers always come from the network, or fail and say so.

const CACHE = "wallet-BUILD_VERSION";
const PAGE = "/wallet/";
const SHELL = [
  PAGE,
  "/wallet/manifest.webmanifest",
  "/static/wallet/app.js?v=BUILD_VERSION",
  "/static/wallet/site.css?v=BUILD_VERSION",
  "/static/wallet/bls.js",
  "/static/wallet/scanner.js",
  "/static/wallet/icon.svg",
  "/static/wallet/icon-192.png",
];

self.addEventListener("install", (event) => {
  const fresh = SHELL.map((url) => new Request(url, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOldShells().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  const isPage = event.request.mode === "navigate" && url.pathname === PAGE;
  const wanted = isPage ? PAGE : url.pathname + url.search;
  if (!SHELL.includes(wanted)) return;
  event.respondWith(
    caches
      .open(CACHE)
      .then((cache) => cache.match(wanted))
      .then((kept) => kept ?? fetch(event.request)),
  );
});

async function dropOldShells() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("wallet-") && name !== CACHE).map((name) => caches.delete(name)));
}
