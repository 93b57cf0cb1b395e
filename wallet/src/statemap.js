// State proofs: what the ledger's state says of a key, or that it has no such key, under a signed checkpoint. And with
// that, whether a list of records about a grant is all there is. Nothing here trusts the sender: `vkey` is pinned.
//
// The map is a tree over SHA-256(key), read as 64 hexadecimal digits. A subtree hashes to 32 zero bytes when empty; with
// up to 16 keys, as a bucket, to SHA-256(11 ‖ path ‖ value hash ‖ …); with more, over its sixteen children, to
// SHA-256(13 ‖ four groups), a group being SHA-256(12 ‖ four children). A value hash is SHA-256(10 ‖ canonical CBOR).
//
// verifyStateProof checks, in this order:
//   1. the text has the form of state-proof@v1, and keys of this kind are in the map;
//   2. the checkpoint is the pinned log's, its Ed25519 signature is right, and it carries the state's root;
//   3. the bucket is one of the key's path and leads to that root;
//   4. the value's hash stands beside the key's path in the bucket; or, if absent, the path is not there.

import { sha256 } from "@noble/hashes/sha2.js";

import { concat, equal, hex } from "./bytes.js";
import { decode } from "./cbor.js";
import { ReceiptError, digest, openCheckpoint, strictBase64 } from "./note.js";

const FIRST_LINE = "govchain/state-proof@v1";
const MAPPED = "aKcpPrtTmMsguxwvy";
const MAX_BUCKET = 16;
const MAX_DEPTH = 64;
const DIGEST = 32;
const NO_CHAIN = new Uint8Array(DIGEST);
const CHAIN = 8;
const GRANT = "g".charCodeAt(0);
const [VALUE, BUCKET, GROUP, NODE] = [0x10, 0x11, 0x12, 0x13].map((domain) => Uint8Array.of(domain));
const hash = (...parts) => sha256(concat(...parts));

/** The key a grant's state is under. */
export const grantKey = (handle) => concat(Uint8Array.of(GRANT), handle);

/** → {key, value: array or null when there is no such key, size, checkpoint}; throws `ReceiptError`. `seen` as in receipt.js. */
export function verifyStateProof(text, vkey, seen = new Map()) {
  const { key, value, bucket, nodes, note } = parse(text);
  if (!MAPPED.includes(String.fromCharCode(key[0]))) throw new ReceiptError("state-key-unknown");
  const checkpoint = seen.get(note) ?? openCheckpoint(note, vkey);
  seen.set(note, checkpoint);
  const path = sha256(key);
  const root = stateRoot(checkpoint);
  if (!root || !equal(rootOf(path, bucket, nodes), root)) throw new ReceiptError("state-wrong", "another root");
  const there = bucket.find((pair) => equal(pair.slice(0, DIGEST), path));
  if (value === null) {
    if (there) throw new ReceiptError("state-wrong", "the key is there");
    return { key, value, size: checkpoint.size, checkpoint };
  }
  if (!there || !equal(there.slice(DIGEST), hash(VALUE, value))) throw new ReceiptError("state-wrong", "another value, or none");
  return { key, value: decodeValue(value), size: checkpoint.size, checkpoint };
}

/** The root of the state under a checkpoint; null when it carries none. */
export function stateRoot({ extensions }) {
  const lines = extensions.filter((line) => line.startsWith("state "));
  if (lines.length > 1) throw new ReceiptError("checkpoint-malformed");
  return lines.length === 1 ? digest(lines[0].slice(6), "checkpoint-malformed") : null;
}

/**
 * Throws `ReceiptError` history-incomplete unless `entries` (their bytes, from verified receipts, in log order) are all
 * there are about `handle` as of `proven`, the verified state of its grant.
 */
export function verifyHistory(handle, entries, proven) {
  if (!equal(proven.key, grantKey(handle))) throw new ReceiptError("state-wrong", "the state of another key");
  const chain = entries.reduce((before, entry) => hash(before, entry), NO_CHAIN);
  const whole = proven.value === null ? NO_CHAIN : proven.value[CHAIN];
  if (!(whole instanceof Uint8Array) || !equal(chain, whole)) throw new ReceiptError("history-incomplete");
}

/** Which handle's state a proof claims to be about, in hex, for sorting it; null when about something else. */
export function claimedHandle(text) {
  try {
    const { key } = parse(text);
    return key.length === 1 + DIGEST && key[0] === GRANT ? hex(key.slice(1)) : null;
  } catch (error) {
    if (error instanceof ReceiptError) return null;
    throw error;
  }
}

function parse(text) {
  if (typeof text !== "string") throw new ReceiptError("state-proof-malformed");
  const end = text.indexOf("\n\n");
  const [first, ...lines] = text.slice(0, Math.max(end, 0)).split("\n");
  if (first !== FIRST_LINE || lines.length < 3 || lines.length > 3 + MAX_DEPTH) throw new ReceiptError("state-proof-malformed");
  const [key, value, bucket, ...nodes] = lines;
  const pairs = bucket === "bucket -" ? new Uint8Array() : field(bucket, "bucket ");
  const parsed = {
    key: field(key, "key "),
    value: value === "absent" ? null : field(value, "value "),
    bucket: Array.from({ length: Math.ceil(pairs.length / (2 * DIGEST)) }, (_, i) => pairs.slice(i * 2 * DIGEST, (i + 1) * 2 * DIGEST)),
    nodes: nodes.map((line) => field(line, "node ")),
    note: text.slice(end + 2),
  };
  if (parsed.key.length === 0 || pairs.length % (2 * DIGEST) !== 0) throw new ReceiptError("state-proof-malformed");
  return parsed;
}

function field(line, label) {
  if (!line.startsWith(label)) throw new ReceiptError("state-proof-malformed");
  return strictBase64(line.slice(label.length), "state-proof-malformed");
}

function rootOf(path, bucket, nodes) {
  const nibbles = hex(path);
  let depth = nodes.length;
  const paths = bucket.map((pair) => hex(pair.slice(0, DIGEST)));
  const inPlace = paths.every((each, i) => each.startsWith(nibbles.slice(0, depth)) && (i === 0 || paths[i - 1] < each));
  if (bucket.length > MAX_BUCKET || !inPlace) throw new ReceiptError("state-wrong", "bucket out of place");
  let current = bucket.length > 0 ? hash(BUCKET, ...bucket) : new Uint8Array(DIGEST);
  for (const beside of nodes) {
    depth -= 1;
    if (beside.length !== 6 * DIGEST) throw new ReceiptError("state-wrong", "siblings");
    const slot = parseInt(nibbles[depth], 16);
    const inside = (slot % 4) * DIGEST;
    const group = hash(GROUP, beside.slice(0, inside), current, beside.slice(inside, 3 * DIGEST));
    const before = (3 + Math.floor(slot / 4)) * DIGEST;
    current = hash(NODE, beside.slice(3 * DIGEST, before), group, beside.slice(before));
  }
  return current;
}

function decodeValue(bytes) {
  let value;
  try {
    value = decode(bytes);
  } catch (error) {
    throw new ReceiptError("state-wrong", error.message);
  }
  if (!Array.isArray(value)) throw new ReceiptError("state-wrong", "not a state value");
  return value;
}
