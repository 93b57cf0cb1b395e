import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { base64, concat, fromBase64, hex, utf8 } from "../src/bytes.js";
import { encode } from "../src/cbor.js";
import { ReceiptError, parseCheckpoint, parseVkey, verifyConsistency, verifyReceipt } from "../src/receipt.js";
import { Log } from "./log.mjs";

const VECTORS = new URL("../../tests/vectors/receipts.json", import.meta.url);

function logOf(count) {
  const log = new Log();
  for (let i = 0; i < count; i++) log.append(encode([1_700_000_000 + i, 1, [20, 1, 1, new Uint8Array(32).fill(i)]]));
  return log;
}

test("the receipt of every entry verifies at every size up to 20", () => {
  const log = logOf(20);
  for (let size = 1; size <= 20; size++) {
    for (let index = 0; index < size; index++) {
      const verified = verifyReceipt(log.receipt(index, size), log.vkey);
      assert.equal(verified.index, index);
      assert.equal(verified.size, size);
      assert.equal(verified.name, "issue");
      assert.equal(verified.time, 1_700_000_000 + index);
    }
  }
});

test("a receipt says who, when and what", () => {
  const log = logOf(3);
  const grant = [30, new Uint8Array(32).fill(9), 1, 2, [3], 1_800_000_000, 3, new Uint8Array(32)];
  const { agency, time, kind, values } = verifyReceipt(log.receipt(log.append(encode([42, 2, grant]))), log.vkey);
  assert.deepEqual([agency, time, kind, values.matter, values.version, values.masks, values.uses], [2, 42, 30, 1, 2, [3], 3]);
});

test("1,000 receipts with one character changed are all refused", () => {
  const log = logOf(13);
  const random = generator(20261121);
  for (let round = 0; round < 1000; round++) {
    const text = log.receipt(random(13));
    const at = random(text.length);
    const other = ALPHABET[random(ALPHABET.length)];
    if (text[at] === other) continue;
    assert.throws(() => verifyReceipt(text.slice(0, at) + other + text.slice(at + 1), log.vkey), ReceiptError);
  }
});

test("1,000 receipts with a character taken out or the rest cut off are all refused", () => {
  const log = logOf(13);
  const random = generator(4);
  for (let round = 0; round < 500; round++) {
    const text = log.receipt(random(13));
    const at = random(text.length);
    assert.throws(() => verifyReceipt(text.slice(0, at) + text.slice(at + 1), log.vkey), ReceiptError);
    assert.throws(() => verifyReceipt(text.slice(0, at), log.vkey), ReceiptError);
  }
});

test("a checkpoint of another log, or by another key of the same name, is refused", () => {
  const [mine, other] = [logOf(5), new Log("ledger.other.example")];
  const impostor = new Log("ledger.test.example", new Uint8Array(32).fill(8));
  for (const entry of mine.entries) for (const log of [other, impostor]) log.append(entry);
  assert.throws(() => verifyReceipt(other.receipt(2), mine.vkey), { code: "signature-missing" });
  assert.throws(() => verifyReceipt(impostor.receipt(2), mine.vkey), { code: "signature-missing" });
});

test("a receipt spliced onto another size's checkpoint is refused", () => {
  const log = logOf(9);
  const [head] = log.receipt(3, 7).split("\n\n");
  assert.throws(() => verifyReceipt(`${head}\n\n${log.checkpoint(9)}`, log.vkey), { code: "inclusion-wrong" });
});

test("an entry that is in the log but not canonical is refused", () => {
  const log = logOf(2);
  const index = log.append(concat(Uint8Array.of(0x98, 3), encode([1, 1, [20]]).slice(1)));
  assert.throws(() => verifyReceipt(log.receipt(index), log.vkey), { code: "entry-malformed" });
});

test("signatures of unknown keys are ignored, a bad one of the pinned key spoils the note", () => {
  const log = logOf(4);
  const stranger = `\u2014 witness.example ${base64(new Uint8Array(76).fill(1))}\n`;
  assert.equal(verifyReceipt(log.receipt(1) + stranger, log.vkey).index, 1);
  const bad = `\u2014 ${log.origin} ${base64(concat(log.keyId, new Uint8Array(64)))}\n`;
  assert.throws(() => verifyReceipt(log.receipt(1) + bad, log.vkey), { code: "signature-wrong" });
});

test("every pair of sizes up to 17 is consistent, and no other proof is", () => {
  const log = logOf(17);
  const at = (size) => parseCheckpoint(log.checkpoint(size), log.vkey);
  for (let from = 0; from <= 17; from++) {
    for (let to = from; to <= 17; to++) {
      const proof = log.consistency(from, to);
      verifyConsistency(at(from), at(to), proof.map(base64));
      if (proof.length === 0) continue;
      assert.throws(() => verifyConsistency(at(from), at(to), proof.slice(1)), ReceiptError);
      assert.throws(() => verifyConsistency(at(from), at(to), [...proof, proof[0]]), ReceiptError);
    }
  }
});

test("a rewritten log is not consistent with what was seen before", () => {
  const [before, after] = [logOf(6), logOf(11)];
  after.entries[2] = encode([1, 1, [20, 1, 1, new Uint8Array(32)]]);
  const seen = parseCheckpoint(before.checkpoint(), before.vkey);
  const now = parseCheckpoint(after.checkpoint(), after.vkey);
  assert.throws(() => verifyConsistency(seen, now, after.consistency(6)), { code: "consistency-wrong" });
  assert.throws(() => verifyConsistency(now, seen, []), { code: "consistency-wrong" });
});

test("RFC 9162 empty root and checkpoint extension lines", () => {
  const log = new Log();
  assert.equal(base64(parseCheckpoint(log.checkpoint(0), log.vkey).root), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  assert.deepEqual(parseCheckpoint(log.checkpoint(0, "state abc\n"), log.vkey).extensions, ["state abc"]);
});

test("the verifier key published with Go's sumdb/note is read, and its key id checked", () => {
  // golang.org/x/mod/sumdb/note, package example: the key of "PeterNeumann".
  const vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  const { name, publicKey } = parseVkey(vkey);
  assert.equal(name, "PeterNeumann");
  assert.equal(publicKey.length, 32);
  assert.throws(() => parseVkey(vkey.replace("c74f", "c74e")), { code: "vkey-malformed" });
});

test("the published vectors: genuine receipts verify, the others are refused", () => {
  const { vkey, genuine, refused } = JSON.parse(readFileSync(VECTORS, "utf8"));
  assert.ok(genuine.length > 50 && refused.length > 10);
  for (const { receipt, index, size, time, agency, kind, entry } of genuine) {
    const proven = verifyReceipt(receipt, vkey);
    assert.deepEqual(
      [proven.index, proven.size, proven.time, proven.agency, proven.name, hex(proven.entry)],
      [index, size, time, agency, kind, entry],
    );
  }
  for (const { receipt, why } of refused) assert.throws(() => verifyReceipt(receipt, vkey), ReceiptError, why);
});

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \n\u2014";

/** Mulberry32: the same 'random' choices on every run. */
function generator(state) {
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
