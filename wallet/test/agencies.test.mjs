import assert from "node:assert/strict";
import { test } from "node:test";

import { agencyKey, keyKey } from "../src/agencies.js";
import { utf8 } from "../src/bytes.js";
import { makeKey, publicJwk } from "../src/keys.js";
import { compress } from "../src/p256.js";
import { Trust } from "../src/trust.js";
import { checkCertificate } from "../src/vci.js";
import { judge } from "../src/vp.js";
import { stateProof } from "./map.mjs";
import { BASE, NOW, World } from "./world.mjs";

const walletNonce = "wallet-nonce-of-this-scan";
const CONSORTIUM = utf8("c");
const zeros = (length) => new Uint8Array(length);

/** An agency's state as genesis made it; `change` overrides. */
async function row(world, { keyNo = 1, issue = world.keys.issue, request = world.keys.request, slug = "street", number = 3, types = [], suspended = 0 } = {}) {
  const [issueKey, requestKey] = await Promise.all([issue, request].map(async (pair) => compress(await publicJwk(pair))));
  const name = { zh: slug, en: slug };
  const profile = world.publish({ kind: "agency", number, slug, name });
  return [keyNo, zeros(32), issueKey, requestKey, profile, types, suspended, [], 0];
}

async function asks(world, pair) {
  const { jws, ...request } = await world.request({ walletNonce, pair });
  return judge(jws, { ...request, walletNonce, trust: world.trust, now: NOW });
}

test("a request key rotated by vote: the new one is believed from then on, the old one no more", async () => {
  const world = await World.make();
  const next = await makeKey();
  assert.equal((await asks(world, world.keys.request)).agency.slug, "street");
  await assert.rejects(asks(world, next), { code: "asker-not-on-ledger" });
  world.voted(agencyKey(3), await row(world, { keyNo: 2, request: next }));
  await world.trust.advance();
  assert.equal((await asks(world, next)).agency.slug, "street");
  await assert.rejects(asks(world, world.keys.request), { code: "asker-not-on-ledger" });
});

test("a suspended agency is refused, and heard again once it is reinstated", async () => {
  const world = await World.make();
  world.voted(agencyKey(3), await row(world, { suspended: 4 }));
  await world.trust.advance();
  await assert.rejects(asks(world, world.keys.request), { code: "agency-suspended" });
  await assert.rejects(world.trust.current(3), { code: "agency-suspended" });
  await assert.rejects(world.trust.agencyBySlug("street"), { code: "agency-suspended" });
  assert.equal((await world.trust.agency(3)).name.zh, "street", "its name can still be shown");
  world.voted(agencyKey(3), await row(world));
  assert.equal((await asks(world, world.keys.request)).agency.number, 3);
});

test("an agency enrolled after this phone pinned the ledger is known by proof, by number, name and key", async () => {
  const world = await World.make();
  const [issue, request] = [await makeKey(), await makeKey()];
  await assert.rejects(world.trust.current(4), { code: "agency-unknown-to-ledger" });
  await assert.rejects(world.trust.agencyBySlug("hrss"), { code: "agency-unknown-to-ledger" });
  world.voted(agencyKey(4), await row(world, { number: 4, slug: "hrss", issue, request, types: [7] }));
  world.voted(CONSORTIUM, [[1, 2, 3, 4], []]);
  await world.trust.advance();
  const found = await world.trust.agencyBySlug("hrss");
  assert.deepEqual([found.number, found.types, found.keyNo], [4, [7], 1]);
  assert.equal((await world.trust.agencyByRequestKey(await publicJwk(request))).number, 4);
  assert.equal((await world.trust.agencyByRequestKey(await publicJwk(request), 4)).number, 4);
  globalThis.fetch = async () => {
    throw new TypeError("no network");
  };
  const later = await Trust.open(world.store, BASE);
  assert.equal((await later.agency(4)).slug, "hrss", "its name is kept");
  await assert.rejects(later.current(4), { code: "offline" });
});

test("an accreditation counts as the ledger has it now", async () => {
  const world = await World.make();
  assert.deepEqual((await world.trust.current(1)).types, [1]);
  world.voted(agencyKey(1), await row(world, { number: 1, slug: "psb", types: [0, 1, 5] }));
  await world.trust.advance();
  assert.deepEqual((await world.trust.current(1)).types, [1, 5]);
});

test("a certificate by a key just replaced is kept, unless that key was revoked", async () => {
  const world = await World.make();
  const [pair, next, last] = [await makeKey(), await makeKey(), await makeKey()];
  const compressed = async (key) => compress(await publicJwk(key));
  const check = async (signer) => {
    const issueKeys = await world.trust.issueKeys(await world.trust.current(1));
    const text = await world.certificate(pair, { pair: signer });
    return checkCertificate({ text, issueKeys, type: await world.trust.type(1), issuer: `${BASE}/agencies/psb`, pair, now: NOW });
  };
  const rotated = async (keyNo, issue, before, revoked = 0) => {
    world.voted(agencyKey(1), await row(world, { number: 1, slug: "psb", types: [1], keyNo, issue }));
    world.voted(keyKey(1, keyNo - 1), [zeros(32), await compressed(before), zeros(33), 0, 5, revoked]);
    await world.trust.advance();
  };
  await rotated(2, next, world.keys.issue);
  assert.equal((await check(next)).issuer, `${BASE}/agencies/psb`);
  assert.equal((await check(world.keys.issue)).issuer, `${BASE}/agencies/psb`);
  await rotated(3, last, next, 6);
  await assert.rejects(check(next), { code: "certificate-signature" }, "revoked");
  await assert.rejects(check(world.keys.issue), { code: "certificate-signature" }, "two rotations ago");
  assert.ok(await check(last));
});

test("an old proof, genuine as it is, decides nothing", async () => {
  const world = await World.make();
  const before = stateProof(world.log, agencyKey(3));
  world.voted(agencyKey(3), await row(world, { suspended: 4 }));
  await world.trust.advance();
  world.routes.set(`/ledger/state/610003`, () => before);
  await assert.rejects(world.trust.current(3), { code: "ledger-behind-seen" });
});

test("a forged proof, and one of another key, are not believed", async () => {
  const world = await World.make();
  const genuine = stateProof(world.log, agencyKey(3));
  world.routes.set(`/ledger/state/610003`, () => genuine.replace(/\nvalue ..../, "\nvalue AAAA"));
  await assert.rejects(world.trust.current(3), { code: "receipt-state-wrong" });
  world.routes.set(`/ledger/state/610003`, () => stateProof(world.log, agencyKey(2)));
  await assert.rejects(world.trust.current(3), { code: "server-answer-malformed" });
  for (const number of [0, -1, 65536, 1.5, "3", null]) await assert.rejects(world.trust.current(number), { code: "agency-unknown-to-ledger" });
});
