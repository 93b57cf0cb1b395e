// For tests/wallet/test_quorum.py: reads {vkey, nodeVkey, sets, receipts, chains} as JSON, answers what the wallet's verifier
// makes of each: [index, size, certified] or null; for a chain of sets, how many it follows or null.

import { readFileSync } from "node:fs";

import { fastAggregateVerify } from "../src/bls.js";
import { Followed, pinOf } from "../src/quorum.js";
import { ReceiptError, parseCheckpoint, verifyReceipt } from "../src/receipt.js";

const { vkey, nodeVkey, sets, receipts, chains } = JSON.parse(readFileSync(0, "utf8"));

function verdict(prove) {
  try {
    return prove();
  } catch (error) {
    if (error instanceof ReceiptError) return null;
    throw error;
  }
}

const follow = (told) => Followed.pinned(vkey, told, fastAggregateVerify);
const followed = follow({ sets });
const pin = pinOf(nodeVkey, followed, parseCheckpoint);
const proven = (text) => {
  const { index, size, checkpoint } = verifyReceipt(text, pin);
  return [index, size, checkpoint.certified];
};
console.log(
  JSON.stringify({
    receipts: receipts.map((text) => verdict(() => proven(text))),
    chains: chains.map((told) => verdict(() => (follow({ sets: told }), told.length))),
  }),
);
