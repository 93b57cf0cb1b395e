// P-256 public keys as the ledger writes them (33 bytes, SEC 1 §2.3.3 compressed) and as JWK.
// Only public values pass here, so plain BigInt arithmetic will do.

import { b64url, concat, fromB64url, fromHex, hex } from "./bytes.js";

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** 33 bytes → public JWK; throws when they are no point of the curve. */
export function toJwk(compressed) {
  if (compressed.length !== 33 || (compressed[0] !== 2 && compressed[0] !== 3)) throw new Error("not a compressed point");
  const x = BigInt(`0x${hex(compressed.slice(1))}`);
  const square = (x ** 3n - 3n * x + B) % P;
  const positive = ((square % P) + P) % P;
  const root = power(positive, (P + 1n) / 4n);
  if (x >= P || (root * root) % P !== positive) throw new Error("not a point of P-256");
  const y = (root & 1n) === BigInt(compressed[0] & 1) ? root : P - root;
  return { kty: "EC", crv: "P-256", x: b64url(compressed.slice(1)), y: b64url(coordinate(y)) };
}

/** Public JWK → 33 bytes. */
export function compress({ x, y }) {
  const [right, up] = [fromB64url(x), fromB64url(y)];
  if (right.length !== 32 || up.length !== 32) throw new Error("not a P-256 key");
  return concat(Uint8Array.of(2 + (up[31] & 1)), right);
}

const coordinate = (value) => fromHex(value.toString(16).padStart(64, "0"));

function power(base, exponent) {
  let result = 1n;
  for (let e = exponent, b = base; e > 0n; e >>= 1n, b = (b * b) % P) if (e & 1n) result = (result * b) % P;
  return result;
}
