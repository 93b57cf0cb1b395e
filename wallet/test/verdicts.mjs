// For tests/wallet/test_receipts.py: reads {vkey, receipts, consistency} as JSON, answers what the wallet's verifier makes
// of each: what was proven, or null.

import { readFileSync } from "node:fs";

import { hex } from "../src/bytes.js";
import { ReceiptError, parseCheckpoint, verifyConsistency, verifyReceipt } from "../src/receipt.js";

const { vkey, receipts, consistency } = JSON.parse(readFileSync(0, "utf8"));

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
console.log(
  JSON.stringify({
    receipts: receipts.map((text) => verdict(() => proven(text))),
    consistency: consistency.map((claim) => verdict(() => consistent(claim))),
  }),
);
