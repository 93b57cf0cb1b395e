// For tests/wallet/test_receipts.py: reads {vkey, receipts, consistency, states} as JSON, answers what the wallet's
// verifier makes of each: what was proven, or null.

import { readFileSync } from "node:fs";

import { hex } from "../src/bytes.js";
import { encode } from "../src/cbor.js";
import { ReceiptError, parseCheckpoint, verifyConsistency, verifyReceipt } from "../src/receipt.js";
import { verifyStateProof } from "../src/statemap.js";

const { vkey, receipts, consistency, states } = JSON.parse(readFileSync(0, "utf8"));

function verdict(prove) {
  try {
    return prove();
  } catch (error) {
    if (error instanceof ReceiptError) return null;
    throw error;
  }
}

const proven = (text) => {
  const { entry, index, time, agency, name, size } = verifyReceipt(text, vkey);
  return [hex(entry), index, time, agency, name, size];
};
const consistent = ({ older, newer, proof }) => {
  verifyConsistency(parseCheckpoint(older, vkey), parseCheckpoint(newer, vkey), proof);
  return true;
};
const stated = (text) => {
  const { key, value, size } = verifyStateProof(text, vkey);
  return [hex(key), value && hex(encode(value)), size];
};
console.log(
  JSON.stringify({
    receipts: receipts.map((text) => verdict(() => proven(text))),
    consistency: consistency.map((claim) => verdict(() => consistent(claim))),
    states: states.map((text) => verdict(() => stated(text))),
  }),
);
