// SD-JWT (RFC 9901) as a holder needs it: take apart, choose, bind to a key. Only top-level claims are selectively
// disclosable here; whatever else RFC 9901 §7.1 says to reject is rejected:
//   - a disclosure no digest refers to, or two of one digest
//   - claim names `_sd` and `...`, a disclosed name that is also in the clear, two of one name
//   - anything but sha-256

import { b64url, fromB64url, fromUtf8, utf8 } from "./bytes.js";
import { WalletError, demand } from "./errors.js";
import { peek, sign } from "./jws.js";
import { sha256 } from "./keys.js";

const MALFORMED = "certificate-malformed";
const NEVER_DISCLOSED = ["iss", "nbf", "exp", "cnf", "vct", "status", "anchor_salt", "holder_binding"];

/** An issued SD-JWT (`<jwt>~<disclosure>~…~`) → {jwt, payload, disclosures: [{text, name, value}], claims}. */
export async function parse(text) {
  const parts = String(text).split("~");
  demand(parts.length >= 2 && parts.at(-1) === "", MALFORMED);
  const [jwt, ...texts] = parts.slice(0, -1);
  const { header, payload } = peek(jwt, MALFORMED);
  demand((payload._sd_alg ?? "sha-256") === "sha-256", MALFORMED);
  const digests = payload._sd ?? [];
  demand(Array.isArray(digests) && new Set(digests).size === digests.length, MALFORMED);
  const disclosures = await Promise.all(texts.map(readDisclosure));
  const seen = new Set();
  for (const { digest, name } of disclosures) {
    demand(digests.includes(digest) && !seen.has(digest), MALFORMED);
    demand(!(name in payload) && !seen.has(name) && !NEVER_DISCLOSED.includes(name), MALFORMED);
    seen.add(digest).add(name);
  }
  const claims = Object.fromEntries(disclosures.map(({ name, value }) => [name, value]));
  return { text, jwt, header, payload, disclosures, claims };
}

/** The presentation without key binding: the JWT and only the named fields' disclosures, in their order. */
export function select({ jwt, disclosures }, names) {
  const chosen = disclosures.filter(({ name }) => names.includes(name));
  demand(chosen.length === names.length, "certificate-lacks-field");
  return `${[jwt, ...chosen.map((disclosure) => disclosure.text)].join("~")}~`;
}

/** RFC 9901 §4.3: the presentation with its KB-JWT; `claims` holds aud, nonce, iat and whatever is to be signed too. */
export async function bind(presentation, claims, privateKey) {
  const sd_hash = b64url(await sha256(presentation));
  const keyBinding = await sign({ typ: "kb+jwt" }, { ...claims, sd_hash }, privateKey);
  return { text: presentation + keyBinding, keyBinding };
}

async function readDisclosure(text) {
  let value;
  try {
    value = JSON.parse(fromUtf8(fromB64url(text)));
  } catch (cause) {
    throw new WalletError(MALFORMED, { cause });
  }
  demand(Array.isArray(value) && value.length === 3 && typeof value[0] === "string", MALFORMED);
  demand(typeof value[1] === "string" && value[1] !== "_sd" && value[1] !== "...", MALFORMED);
  return { text, name: value[1], value: value[2], digest: b64url(await sha256(utf8(text))) };
}
