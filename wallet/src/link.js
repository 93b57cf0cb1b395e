// What a scanned code or an opened link means to this wallet: a route, or nothing.

const SCHEMES = { "openid-credential-offer:": "offer", "openid4vp:": "present" };
const ROUTES = ["offer", "present", "activate"];

/** → "#offer?…", "#present?…", "#activate?…", or null for a code that is not for this wallet. */
export function routeOf(text, here) {
  const trimmed = String(text).trim();
  if (!URL.canParse(trimmed)) return null;
  const url = new URL(trimmed);
  if (SCHEMES[url.protocol]) return `#${SCHEMES[url.protocol]}${url.search}`;
  // A wallet link of another site would have this wallet talk to strangers: only our own address counts.
  const ours = url.origin === here && url.pathname === "/wallet/";
  return ours && ROUTES.includes(parseRoute(url.hash).name) ? url.hash : null;
}

/** "#history/abc?x=1" → {name: "history", id: "abc", params}. */
export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [name, id = ""] = path.split("/");
  return { name: name || "home", id, params: new URLSearchParams(query) };
}
