// The phone's keys: P-256, made by WebCrypto as not extractable, kept as CryptoKeys. The device key names the phone to
// its home agency.

import { b64url, concat, utf8 } from "./bytes.js";
import { sign } from "./jws.js";

const HOLDER_BINDING = utf8("govchain/holder-binding/v1\n");

export const makeKey = () => crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);

/**
 * The holder key of a new certificate, its own, so that two certificates cannot be linked by key; and what ties it to this
 * phone (identity/core/holder_binding.py): a commitment for the certificate, opened by `salt` to the home agency alone.
 */
export async function makeHolderKey(store) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const thumbprint = await thumbprintOf(await store.get("keys", "device"));
  const binding = b64url(await sha256(concat(HOLDER_BINDING, salt, utf8(thumbprint))));
  return { pair: await makeKey(), salt: b64url(salt), binding };
}

/** RFC 7638, SHA-256. */
export const thumbprintOf = async (pair) => b64url(await sha256(JSON.stringify(await publicJwk(pair))));

/** The public half, holding exactly the members an RFC 7638 thumbprint covers. */
export async function publicJwk(pair) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { crv, kty, x, y };
}

export const randomText = (bytes = 16) => b64url(crypto.getRandomValues(new Uint8Array(bytes)));

/** RFC 9449 §4.2: proof that this request comes from the phone holding `pair`. */
export async function deviceProof(pair, { method, url, now }) {
  const header = { typ: "dpop+jwt", jwk: await publicJwk(pair) };
  return sign(header, { htm: method, htu: url, iat: now, jti: randomText() }, pair.privateKey);
}

/** OpenID4VCI 1.0 §F.1: proof that the certificate's holder key is here, bound to the issuer and its nonce. */
export async function possessionProof(pair, { issuer, nonce, now, binding }) {
  const header = { typ: "openid4vci-proof+jwt", jwk: await publicJwk(pair) };
  return sign(header, { aud: issuer, iat: now, nonce, holder_binding: binding }, pair.privateKey);
}

export async function sha256(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", typeof data === "string" ? utf8(data) : data));
}
