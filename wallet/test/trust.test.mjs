import assert from "node:assert/strict";
import { test } from "node:test";

import { Log } from "./log.mjs";
import { BASE, MATTER, World } from "./world.mjs";
import { Trust } from "../src/trust.js";

const records = (world, count) => Array.from({ length: count }, (_, i) => world.record(1, [20, 1, 1, new Uint8Array(32).fill(i)]));

test("a genesis under another key than the pinned one is refused", async () => {
  const world = await World.make();
  const stranger = new Log("ledger.test.example", new Uint8Array(32).fill(9));
  const fresh = await Trust.open({ ...world.store, get: async () => undefined }, BASE);
  await assert.rejects(fresh.pin(stranger.vkey), { code: "receipt-signature-missing" });
});

test("the ledger may only be added to", async () => {
  const world = await World.make();
  records(world, 5);
  assert.equal((await world.trust.advance()).size, 9);
  world.log.entries[2] = world.log.entries[3];
  records(world, 1);
  await assert.rejects(world.trust.advance(), { code: "ledger-contradiction" });
});

test("two checkpoints of one size that differ are kept as evidence", async () => {
  const world = await World.make();
  await world.trust.advance();
  world.log.entries[3] = world.log.entries[2];
  await assert.rejects(world.trust.advance(), { code: "ledger-contradiction" });
  const kept = (await world.store.get("state", "trust")).alarm;
  assert.notEqual(kept.older, kept.newer);
});

test("a node that lags behind is believed when it proves to be on the same log", async () => {
  const world = await World.make();
  records(world, 5);
  await world.trust.advance();
  const receipt = await world.trust.receipt(world.log.receipt(2, 5));
  assert.equal(receipt.size, 5);
  assert.equal(world.trust.state.checkpoint.split("\n")[1], "9");
});

test("a document that does not hash to its digest is refused", async () => {
  const world = await World.make();
  world.documents.set(world.matterDigest, JSON.stringify({ ...MATTER, retention_days: 3000 }));
  await assert.rejects(world.trust.matter(1, 1), { code: "document-wrong" });
});

test("a matter whose words and masks differ is refused", async () => {
  const world = await World.make({ masks: [[1, 1, 0b111111, 0]] });
  await assert.rejects(world.trust.matter(1, 1), { code: "document-wrong" });
});

test("a matter without its issuer's approval is not in force", async () => {
  assert.equal((await (await World.make()).trust.matter(1, 1)).inForce, true);
  assert.equal((await (await World.make({ approved: false })).trust.matter(1, 1)).inForce, false);
});
