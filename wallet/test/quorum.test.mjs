import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { base64, concat, fromBase64, hex, utf8 } from "../src/bytes.js";
import { fastAggregateVerify } from "../src/bls.js";
import { encode } from "../src/cbor.js";
import { readHistory } from "../src/history.js";
import { Followed, parseQuorumVkey, parseSet } from "../src/quorum.js";
import { Trust } from "../src/trust.js";
import { grantKey } from "../src/statemap.js";
import { follow, verifyReceipt, verifyStateProof } from "../src/verifier.js";
import { makeSeed, nextSecret } from "../src/secrets.js";
import { stateProof } from "./map.mjs";
import { BASE, NOW, REQUIRED, World } from "./world.mjs";

const VECTORS = JSON.parse(readFileSync(new URL("../../tests/vectors/quorum.json", import.meta.url), "utf8"));
const { longSignatures: bls } = bls12_381;
const SUITE = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
const loadBls = async () => ({ fastAggregateVerify });

test("the published module verifies certified receipts and state proofs from the pinned first validators", () => {
  const followed = follow(VECTORS.vkey, { sets: VECTORS.sets });
  for (const { receipt, index, size, kind } of VECTORS.certified) {
    const proven = verifyReceipt(receipt, followed);
    assert.deepEqual([proven.index, proven.size, proven.name, proven.checkpoint.certified], [index, size, kind, true]);
  }
  for (const { receipt } of VECTORS.refused) assert.throws(() => verifyReceipt(receipt, followed));
  const [{ receipt }] = VECTORS.final;
  assert.throws(() => verifyReceipt(receipt, followed), { code: "quorum-missing" });
  assert.equal(verifyReceipt(receipt, followed, VECTORS.node_vkey).checkpoint.certified, false);
  const [{ proof, size }] = VECTORS.states;
  assert.equal(verifyStateProof(proof, followed, VECTORS.node_vkey).size, size);
});

test("a chain that does not lead from the pinned set is refused", () => {
  for (const { sets } of VECTORS.chains_refused) assert.throws(() => follow(VECTORS.vkey, { sets }));
  assert.throws(() => parseQuorumVkey(VECTORS.node_vkey), { code: "vkey-malformed" });
  assert.throws(() => parseSet(encode([])), { code: "validators-malformed" });
});

/** Validators of the tests' own: their set, and certificates of checkpoints. */
class Committee {
  constructor(count, from = 1) {
    this.members = Array.from({ length: count }, (_, i) => {
      const secret = concat(new Uint8Array(30), Uint8Array.of(from, i + 1));
      return { agency: i + 1, secret, key: bls.getPublicKey(secret).toBytes(), consensus: new Uint8Array(32).fill(16 * from + i) };
    });
    this.rows = this.members.map(({ agency, consensus, key }) => [agency, consensus, key, new Uint8Array(96), 1]);
    this.encoding = encode(this.members.map(({ agency, consensus, key }) => [agency, consensus, key, 1]));
    this.digest = parseSet(this.encoding).digest;
  }

  get line() {
    return `validators ${base64(this.digest)}\n`;
  }

  certify(note, signers = this.members.slice(0, -1)) {
    const body = note.slice(0, note.indexOf("\n\n") + 1);
    const [origin, size] = body.split("\n");
    const at = new Uint8Array(8);
    new DataView(at.buffer).setBigUint64(0, BigInt(size));
    const message = concat(utf8("govchain/quorum/v1\n"), this.digest, at, sha256(utf8(body)));
    const shares = signers.map(({ secret }) => bls.sign(bls.hash(message, SUITE), secret));
    const bits = signers.reduce((sum, { agency }) => sum | (1 << (agency - 1)), 0);
    const type = concat(Uint8Array.of(0xff), utf8("govchain/quorum-bls12381/v1"));
    const id = sha256(concat(utf8(`${origin}/quorum\n`), type, this.digest)).slice(0, 4);
    const blob = concat(id, this.digest, bls.aggregateSignatures(shares).toBytes(), Uint8Array.of(bits));
    return `${note}\u2014 ${origin}/quorum ${base64(blob)}\n`;
  }
}

/** A world whose genesis names four validators; `served` is what the node answers at /ledger/validators. */
async function consortium() {
  const committee = new Committee(4);
  const served = [];
  const world = await World.make({ committee, loadBls });
  world.routes.set("/ledger/validators", () => ({ sets: served }));
  return { committee, served, world };
}

test("what only the node signed is not settled; with the certificate it is", async () => {
  const { committee, world } = await consortium();
  const plain = await world.trust.advance();
  assert.equal(world.trust.settled(plain), false);
  world.log.certify = (note) => committee.certify(note);
  const certified = await world.trust.advance();
  assert.equal(world.trust.settled(certified), true);
  world.log.certify = (note) => committee.certify(note, committee.members.slice(0, 2));
  await assert.rejects(world.trust.advance(), { code: "receipt-quorum-not-reached" });
});

test("a change of the validators is followed by its certificate, and kept", async () => {
  const { committee, served, world } = await consortium();
  const next = new Committee(5, 2);
  world.log.named = next.line;
  world.record(1, [20, 1, 1, new Uint8Array(32)]);
  served.push({ set: base64(next.encoding), checkpoint: committee.certify(world.log.checkpoint()) });
  await world.trust.advance();
  world.record(1, [20, 1, 1, new Uint8Array(32).fill(1)]);
  world.log.certify = (note) => next.certify(note);
  assert.equal(world.trust.settled(await world.trust.advance()), true);
  const again = await Trust.open(world.store, BASE, loadBls);
  assert.equal(again.settled(await again.advance()), true);
  world.log.certify = (note) => committee.certify(note);
  world.record(1, [20, 1, 1, new Uint8Array(32).fill(2)]);
  await assert.rejects(again.advance(), { code: "receipt-certificate-wrong" });
});

test("a set that the old one did not certify is not followed", async () => {
  const { served, world } = await consortium();
  const usurpers = new Committee(4, 3);
  world.log.named = usurpers.line;
  world.record(1, [20, 1, 1, new Uint8Array(32)]);
  served.push({ set: base64(usurpers.encoding), checkpoint: usurpers.certify(world.log.checkpoint()) });
  await assert.rejects(world.trust.advance(), { code: "receipt-validators-foreign" });
});

test("history shows what no quorum certifies yet as pending, and then as checked", async () => {
  const { committee, world } = await consortium();
  await makeSeed(world.store);
  const { handle } = await nextSecret(world.store);
  const index = world.record(2, [30, handle, 1, 1, [REQUIRED], NOW + 86400, 1, new Uint8Array(32)]);
  const about = () => ({ receipts: [world.log.receipt(index)], states: [stateProof(world.log, grantKey(handle))] });
  world.routes.set(`/ledger/handles/${hex(handle.slice(0, 2))}`, about);
  const read = () => readHistory({ store: world.store, trust: world.trust, now: () => NOW, base: BASE });
  const [before] = (await read()).grants;
  assert.deepEqual([before.proof.verdict, before.events.map(({ state }) => state)], ["pending", ["pending"]]);
  world.log.certify = (note) => committee.certify(note);
  const [after] = (await read()).grants;
  assert.deepEqual([after.proof.verdict, after.events.map(({ state }) => state)], ["complete", ["checked"]]);
});

test("BLS: an identity, a foreign subgroup and strange bytes verify nothing", () => {
  const { validators } = parseSet(fromBase64(VECTORS.sets[0].set));
  const [{ key }] = validators;
  const identity = concat(Uint8Array.of(0xc0), new Uint8Array(47));
  const subgroup = concat(Uint8Array.of(0x80), new Uint8Array(46), Uint8Array.of(4));
  const signature = concat(Uint8Array.of(0xc0), new Uint8Array(95));
  for (const strange of [identity, subgroup, new Uint8Array(48), new Uint8Array(0), key.slice(1)]) {
    assert.equal(fastAggregateVerify([strange], utf8("m"), signature), false);
    assert.equal(fastAggregateVerify([key, strange], utf8("m"), signature), false);
  }
  assert.equal(fastAggregateVerify([], utf8("m"), signature), false);
  assert.equal(fastAggregateVerify([key], utf8("m"), signature), false);
  assert.equal(hex(key).length, 96);
  assert.ok(Followed);
});
