// Receipts: C2SP `tlog-proof@v1` text whose `extra` line carries the entry's own bytes, so that a receipt alone
// shows what was recorded, by whom, when, and that it is in the log. Nothing here trusts the sender: `vkey` is pinned.
//
// verifyReceipt checks, in this order:
//   1. the text has the form of tlog-proof@v1, with the entry in `extra`;
//   2. the checkpoint is the pinned log's and its Ed25519 signature is right;
//   3. RFC 9162 §2.1.3.2: the entry's leaf hash at `index` leads to the checkpoint's root;
//   4. the entry is canonical CBOR of [time, agency, [kind, …]].

import { decode } from "./cbor.js";
import { extendsTree, includes, leafHash } from "./merkle.js";
import { ReceiptError, decimal, digest, openCheckpoint, parseCheckpoint, parseVkey, strictBase64 } from "./note.js";
import { readEntry } from "./records.js";

export { ReceiptError, openCheckpoint, parseCheckpoint, parseVkey };

const FIRST_LINE = "c2sp.org/tlog-proof@v1";
const MAX_PATH = 63;

/**
 * → {entry, index, size, time, agency, kind, name, values, checkpoint}; throws `ReceiptError`. `vkey` is the ledger's, or a pin
 * of its validators (`quorum.js`): then `checkpoint.certified` says whether a quorum stands behind it.
 * `seen`, a Map from checkpoint texts to what they said, spares verifying one signature once for every receipt under it.
 */
export function verifyReceipt(text, vkey, seen = new Map()) {
  const { index, path, entry, note } = parse(text);
  const checkpoint = seen.get(note) ?? openCheckpoint(note, vkey);
  seen.set(note, checkpoint);
  const { size, root } = checkpoint;
  if (!includes({ index, size, leaf: leafHash(entry), path, root })) throw new ReceiptError("inclusion-wrong");
  const read = readEntry(decodeEntry(entry));
  if (!read) throw new ReceiptError("entry-malformed");
  return { entry, index, size, ...read, checkpoint };
}

/** What a receipt claims, for sorting it to where its verification will be shown; null when it has no form at all. */
export function readUnverified(text) {
  try {
    const { index, entry } = parse(text);
    const read = readEntry(decodeEntry(entry));
    return read && { index, ...read };
  } catch (error) {
    if (error instanceof ReceiptError) return null;
    throw error;
  }
}

/** Throws unless checkpoint `newer` is checkpoint `older` with entries only added; `proof`: base64 hashes. */
export function verifyConsistency(older, newer, proof) {
  const path = proof.map((hash) => (typeof hash === "string" ? digest(hash, "consistency-malformed") : hash));
  const holds = extendsTree({
    oldSize: older.size,
    oldRoot: older.root,
    newSize: newer.size,
    newRoot: newer.root,
    path,
  });
  if (!holds) throw new ReceiptError("consistency-wrong");
}

function parse(text) {
  if (typeof text !== "string") throw new ReceiptError("receipt-malformed");
  const end = text.indexOf("\n\n");
  if (end < 0) throw new ReceiptError("receipt-malformed");
  const [first, extra, index, ...hashes] = text.slice(0, end).split("\n");
  if (first !== FIRST_LINE || !extra?.startsWith("extra ") || !index?.startsWith("index ")) {
    throw new ReceiptError("receipt-malformed");
  }
  if (hashes.length > MAX_PATH) throw new ReceiptError("receipt-malformed");
  return {
    entry: strictBase64(extra.slice(6), "receipt-malformed"),
    index: decimal(index.slice(6), "receipt-malformed"),
    path: hashes.map((hash) => digest(hash, "receipt-malformed")),
    note: text.slice(end + 2),
  };
}

function decodeEntry(entry) {
  try {
    return decode(entry);
  } catch (error) {
    throw new ReceiptError("entry-malformed", error.message);
  }
}
