// BLS12-381 signatures (draft-irtf-cfrg-bls-signature, proof-of-possession scheme, keys in G1), in a bundle of its own:
// fetched only when the ledger has validators.

import { bls12_381 } from "@noble/curves/bls12-381.js";

import { hex } from "./bytes.js";

const SUITE = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
const { longSignatures: bls, G1 } = bls12_381;

/** Whether every one of the keys (48 bytes each, possession proven) signed `message`. Bytes that are no points verify nothing. */
export function fastAggregateVerify(keys, message, signature) {
  try {
    const sum = keys.map(keyOf).reduce((total, point) => total.add(point), G1.Point.ZERO);
    const sigma = bls.Signature.fromBytes(signature);
    sigma.assertValidity();
    return !sum.is0() && !sigma.is0() && bls.verify(sigma, bls.hash(message, SUITE), sum);
  } catch {
    return false; // noble throws for what is not canonical, not on the curve or not in the subgroup
  }
}

/** Decoding a key and checking its subgroup takes longer than adding it: each is done once. */
const known = new Map();

function keyOf(key) {
  const name = hex(key);
  const point = known.get(name) ?? G1.Point.fromBytes(key);
  point.assertValidity();
  if (point.is0()) throw new RangeError("the identity is no key");
  known.set(name, point);
  return point;
}
