// The phone's keys: P-256, made by WebCrypto as not extractable, kept as CryptoKeys. The device key names the phone to
// its home agency.

import { b64url, utf8 } from "./bytes.js";
import { sign } from "./jws.js";

export const makeKey = () => crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);

/**
 * The holder key for a new certificate. It is the device key: the home agency records a grant only for certificates
 * bound to the very phone it opened, and that key is how it knows. The price: certificates of one phone can be linked
 * by key. A key for each certificate needs the home agency to know the phone's keys as a set; callers already treat
 * the answer as the certificate's own.
 */
export const holderKey = (store) => store.get("keys", "device");

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
export async function possessionProof(pair, { issuer, nonce, now }) {
  const header = { typ: "openid4vci-proof+jwt", jwk: await publicJwk(pair) };
  return sign(header, { aud: issuer, iat: now, nonce }, pair.privateKey);
}

export async function sha256(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", typeof data === "string" ? utf8(data) : data));
}
