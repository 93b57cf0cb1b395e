// Compact JWS with ES256 (RFC 7515, RFC 7518 §3.4), the wallet's only algorithm: it comes from the key, never from
// the token. Private keys are CryptoKeys, so signing asks WebCrypto and nothing else.

import { b64url, fromB64url, fromUtf8, utf8 } from "./bytes.js";
import { WalletError, demand } from "./errors.js";

const ES256 = { name: "ECDSA", hash: "SHA-256" };
const P256 = { name: "ECDSA", namedCurve: "P-256" };

export async function sign(header, claims, privateKey) {
  const input = `${segment({ ...header, alg: "ES256" })}.${segment(claims)}`;
  const signature = await crypto.subtle.sign(ES256, privateKey, utf8(input));
  return `${input}.${b64url(new Uint8Array(signature))}`;
}

/** Header and payload without any judgement on them; throws `WalletError(code)`. */
export function peek(token, code = "token-malformed") {
  const parts = String(token).split(".");
  demand(parts.length === 3, code);
  try {
    const [header, payload] = parts.slice(0, 2).map((part) => JSON.parse(fromUtf8(fromB64url(part))));
    if (![header, payload].every((value) => value && typeof value === "object" && !Array.isArray(value))) throw new Error("not objects");
    return { header, payload, signature: fromB64url(parts[2]), input: `${parts[0]}.${parts[1]}` };
  } catch (cause) {
    throw new WalletError(code, { cause });
  }
}

/** The token's header and payload, its signature verified under `jwk`; throws `WalletError(code)`. */
export async function verify(token, jwk, { typ, code }) {
  const { header, payload, signature, input } = peek(token, code);
  demand(header.alg === "ES256" && typ.includes(header.typ) && header.crit === undefined, code);
  const { kty, crv, x, y } = jwk;
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, P256, false, ["verify"]);
  demand(await crypto.subtle.verify(ES256, key, signature, utf8(input)), code);
  return { header, payload };
}

const segment = (value) => b64url(utf8(JSON.stringify(value)));
