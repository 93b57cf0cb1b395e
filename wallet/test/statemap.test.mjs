// The same vectors as the platform's verifier (tests/vectors/statemap.json, written and compared by Python).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { fromHex, hex } from "../src/bytes.js";
import { encode } from "../src/cbor.js";
import { ReceiptError } from "../src/note.js";
import { stateRoot, verifyHistory, verifyStateProof } from "../src/statemap.js";

const { vkey, valid, forged, history } = JSON.parse(readFileSync(new URL("../../tests/vectors/statemap.json", import.meta.url)));

for (const { name, key, value, root, proof } of valid) {
  test(`state proof: ${name}`, () => {
    const proven = verifyStateProof(proof, vkey);
    assert.equal(hex(proven.key), key);
    assert.equal(proven.value && hex(encode(proven.value)), value);
    assert.equal(hex(stateRoot(proven.checkpoint)), root);
    assert.equal(proven.size, 1000);
  });
}

for (const { name, proof } of forged) {
  test(`forged state proof: ${name}`, () => assert.throws(() => verifyStateProof(proof, vkey), ReceiptError));
}

test("a proof with one character changed proves nothing else", () => {
  const { proof } = valid.at(-2);
  const said = verifyStateProof(proof, vkey);
  for (let at = 0; at < proof.length; at++) {
    for (const letter of ["A", "b", "\n"]) {
      try {
        const found = verifyStateProof(proof.slice(0, at) + letter + proof.slice(at + 1), vkey);
        assert.deepEqual(found.value, said.value);
      } catch (error) {
        assert.ok(error instanceof ReceiptError, `${at}: ${error}`);
      }
    }
  }
});

test("a history is complete, or told apart from one that is not", () => {
  const handle = fromHex(history.handle);
  const entries = history.entries.map(fromHex);
  const proven = verifyStateProof(history.proof, vkey);
  verifyHistory(handle, entries, proven);
  const [first, second, third] = entries;
  for (const wrong of [[], [first], [first, second], [second, third], [first, third], [second, first, third], [...entries, third]]) {
    assert.throws(() => verifyHistory(handle, wrong, proven), { code: "history-incomplete" });
  }
  assert.throws(() => verifyHistory(new Uint8Array(32), entries, proven), { code: "state-wrong" });
  const nothing = { ...proven, value: null };
  verifyHistory(handle, [], nothing);
  assert.throws(() => verifyHistory(handle, entries, nothing), { code: "history-incomplete" });
});
