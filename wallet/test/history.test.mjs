import assert from "node:assert/strict";
import { test } from "node:test";

import { b64url, hex } from "../src/bytes.js";
import { readHistory, withdraw } from "../src/history.js";
import { makeSeed, nextSecret } from "../src/secrets.js";
import { stateProof } from "./map.mjs";
import { grantKey } from "../src/statemap.js";
import { BASE, NOW, REQUIRED, World } from "./world.mjs";

const ANY = new Uint8Array(32);

/** A world where one grant of ours was recorded; `serve` decides which receipts the ledger answers with. */
async function granted({ uses = 2 } = {}) {
  const world = await World.make();
  await makeSeed(world.store);
  const { secret, handle } = await nextSecret(world.store);
  const stranger = Uint8Array.from([handle[0], handle[1], ...new Uint8Array(30).fill(1)]);
  const indexes = [
    world.record(2, [30, handle, 1, 1, [REQUIRED], NOW + 86400, uses, ANY], NOW + 1),
    world.record(2, [30, stranger, 1, 1, [REQUIRED], NOW + 86400, 1, ANY]),
  ];
  const prefix = hex(handle.slice(0, 2));
  world.serve = () => indexes.map((index) => world.log.receipt(index));
  world.states = () => [handle, stranger].map((each) => stateProof(world.log, grantKey(each)));
  world.routes.set(`/ledger/handles/${prefix}`, () => ({ receipts: world.serve(), states: world.states() }));
  const use = () => indexes.push(world.record(3, [32, handle, 1, 1, [REQUIRED], ANY], NOW + 2));
  const read = () => readHistory({ store: world.store, trust: world.trust, now: () => NOW + 10, base: BASE });
  return { world, secret, handle, use, read, indexes };
}

test("own records are found among strangers', verified, grouped and named", async () => {
  const { use, read, handle, world } = await granted();
  use();
  const { online, grants } = await read();
  assert.equal(online, true);
  assert.equal(grants.length, 1);
  const [grant] = grants;
  assert.equal(grant.handle, b64url(handle));
  assert.deepEqual(grant.events.map(({ receipt, state }) => [receipt.name, state]), [["grant", "checked"], ["usage", "checked"]]);
  assert.deepEqual([grant.state, grant.used, grant.uses, grant.given], ["live", 1, 2, NOW + 1]);
  assert.equal(grant.matter.zh, "居住证办理");
  assert.equal(grant.agency.zh, "street");
  assert.equal(grant.fields.length, 5);
  assert.deepEqual(grant.proof, { verdict: "complete", size: world.log.entries.length });
});

test("a usage held back is noticed, though the phone never saw it", async () => {
  const { use, read, world, indexes } = await granted();
  use();
  world.serve = () => indexes.slice(0, 2).map((index) => world.log.receipt(index));
  const [grant] = (await read()).grants;
  assert.deepEqual(grant.events.map(({ receipt }) => receipt.name), ["grant"]);
  assert.deepEqual(grant.hidden, [], "nothing seen before is missing");
  assert.equal(grant.proof.verdict, "incomplete");
});

test("a usage held back behind the state before it is not believed: the phone has seen a newer log", async () => {
  const { use, read, world, handle, indexes } = await granted();
  const size = world.log.entries.length;
  use();
  await world.trust.advance();
  world.serve = () => indexes.slice(0, 2).map((index) => world.log.receipt(index, size));
  world.states = () => [stateProof(world.log, grantKey(handle), size)];
  assert.equal((await read()).grants[0].proof.verdict, "unproven");
});

test("without a proof, or with a wrong one, nothing is called complete", async () => {
  const { use, read, world, handle } = await granted();
  use();
  const elsewhere = Uint8Array.from(handle, (byte, i) => (i === 31 ? byte ^ 1 : byte));
  const forged = stateProof(world.log, grantKey(handle)).replace(/\nbucket ..../, "\nbucket AAAA");
  for (const states of [undefined, [], ["junk"], [forged], [stateProof(world.log, grantKey(elsewhere))]]) {
    world.states = () => states;
    assert.equal((await read()).grants[0].proof.verdict, "unproven");
  }
});

test("a grant whose records are all held back is shown, as incomplete", async () => {
  const { read, world } = await granted();
  world.serve = () => [];
  world.states = () => [];
  const [grant] = (await read()).grants;
  assert.deepEqual([grant.state, grant.proof.verdict], ["unrecorded", "incomplete"]);
});

test("a consent that was never recorded is proven not to be there", async () => {
  const { read, world } = await granted();
  const { handle: pending, counter } = await nextSecret(world.store);
  await world.store.put("grants", b64url(pending), { handle: pending, counter, receipts: [] });
  world.routes.set(`/ledger/handles/${hex(pending.slice(0, 2))}`, () => ({ receipts: [], states: [] }));
  const grant = (await read()).grants.find(({ handle }) => handle === b64url(pending));
  assert.deepEqual([grant.state, grant.proof.verdict], ["unrecorded", "absent"]);
});

test("where too many share a prefix, the phone asks with a longer one", async () => {
  const { use, read, world, handle } = await granted();
  use();
  const answer = world.routes.get(`/ledger/handles/${hex(handle.slice(0, 2))}`);
  world.routes.set(`/ledger/handles/${hex(handle.slice(0, 2))}`, () => {
    throw new TooWide();
  });
  world.routes.set(`/ledger/handles/${hex(handle.slice(0, 4))}`, answer);
  const inner = globalThis.fetch;
  globalThis.fetch = (url, options) => inner(url, options).catch((error) => (error instanceof TooWide ? tooWide() : Promise.reject(error)));
  assert.equal((await read()).grants[0].proof.verdict, "complete");
});

class TooWide extends Error {}
const tooWide = () => new Response(JSON.stringify({ title: "太多", status: 413, code: "prefix-too-short" }), { status: 413 });

test("a grant is spent when its uses are, and expired when its time is", async () => {
  const { use, read, world } = await granted({ uses: 1 });
  use();
  assert.equal((await read()).grants[0].state, "spent");
  const later = await readHistory({ store: world.store, trust: world.trust, now: () => NOW + 90000, base: BASE });
  assert.equal(later.grants[0].state, "expired");
});

test("a forged receipt about us is shown as wrong, and never counts as a use", async () => {
  const { use, read, world, indexes } = await granted();
  use();
  world.serve = () => indexes.map((index) => world.log.receipt(index).replace(/\n\u2014 .*\n$/, `\n\u2014 ledger.test.example ${"A".repeat(92)}\n`));
  const [grant] = (await read()).grants;
  assert.deepEqual(grant.events.map(({ state }) => state), ["wrong", "wrong"]);
  assert.equal(grant.used, 0);
});

test("a record once seen and later withheld is named", async () => {
  const { use, read, world, indexes } = await granted();
  use();
  await read();
  world.serve = () => [world.log.receipt(indexes[0])];
  const [grant] = (await read()).grants;
  assert.deepEqual(grant.hidden, [indexes[2]]);
  assert.equal(grant.events.length, 2, "what was seen stays");
});

test("without a network, what was verified before is shown as such", async () => {
  const { use, read, world } = await granted();
  use();
  await read();
  globalThis.fetch = async () => {
    throw new TypeError("no network");
  };
  const { online, grants } = await read();
  assert.equal(online, false);
  assert.deepEqual(grants[0].events.map(({ state }) => state), ["kept", "kept"]);
  assert.equal(grants[0].matter.zh, "居住证办理");
  assert.equal(world.trust.pinned, true);
});

test("withdrawing shows the secret and checks the receipt", async () => {
  const { read, world, secret, handle, indexes } = await granted();
  await read();
  let shown;
  world.routes.set("/ledger/withdrawals", (options) => {
    shown = JSON.parse(options.body).secret;
    indexes.push(world.record(2, [31, secret], NOW + 3));
    return { receipt: world.log.receipt(indexes.at(-1)) };
  });
  await withdraw(b64url(handle), { store: world.store, trust: world.trust, base: BASE });
  assert.equal(shown, b64url(secret));
  assert.equal((await read()).grants[0].state, "withdrawn");
});

test("somebody else's withdrawal receipt does not count", async () => {
  const { read, world, handle } = await granted();
  await read();
  const other = world.record(2, [31, new Uint8Array(32).fill(4)]);
  world.routes.set("/ledger/withdrawals", () => ({ receipt: world.log.receipt(other) }));
  await assert.rejects(withdraw(b64url(handle), { store: world.store, trust: world.trust, base: BASE }), { code: "withdrawal-receipt-wrong" });
});
