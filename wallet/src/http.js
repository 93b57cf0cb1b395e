// One door to servers: a time limit on every call, no redirects, RFC 9457 problems turned into WalletErrors.

import { WalletError } from "./errors.js";

const LIMIT_MS = 25_000;

/** GET, or POST when `json` or `form` is given. → {status, text, json()}; throws `WalletError`. */
export async function call(url, { json, form, headers = {}, method } = {}) {
  const options = {
    method: method ?? (json || form ? "POST" : "GET"),
    headers: { Accept: "application/json, text/plain, */*", ...headers },
    redirect: "error",
    credentials: "omit",
    cache: "no-store",
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(LIMIT_MS),
  };
  if (json) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(json);
  } else if (form) {
    options.body = new URLSearchParams(form);
  }
  let response;
  let text;
  try {
    response = await fetch(url, options);
    text = await response.text();
  } catch (cause) {
    throw new WalletError(cause?.name === "TimeoutError" ? "server-slow" : "offline", { cause });
  }
  if (!response.ok) throw problem(response.status, text);
  return { status: response.status, text, json: () => parseJson(text) };
}

export const getJson = async (url, options) => (await call(url, options)).json();
export const getText = async (url, options) => (await call(url, options)).text;

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WalletError("server-answer-malformed", { cause });
  }
}

function problem(status, text) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy's error page: its words are not for the citizen.
  }
  if (!body?.title) return new WalletError("server-error", { params: { status } });
  const words = { zh: [body.title, body.detail], en: [body.title_en ?? body.title, body.detail_en ?? body.detail] };
  return new WalletError(body.code ?? "server-error", { params: body, words });
}
