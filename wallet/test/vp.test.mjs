import assert from "node:assert/strict";
import { test } from "node:test";

import { compactDecrypt } from "jose";

import { sha256 } from "@noble/hashes/sha2.js";
import { b64url, fromB64url, utf8 } from "../src/bytes.js";
import { peek, verify } from "../src/jws.js";
import { makeKey, publicJwk } from "../src/keys.js";
import { makeSeed } from "../src/secrets.js";
import { checkCertificate } from "../src/vci.js";
import { answer, judge, periods } from "../src/vp.js";
import { BASE, ETHNICITY, NOW, REQUIRED, TYPE, World } from "./world.mjs";

const walletNonce = "wallet-nonce-of-this-scan";

async function judged(world, options = {}) {
  const { jws, ...request } = await world.request({ walletNonce, ...options });
  return { jws, ...(await judge(jws, { ...request, walletNonce, trust: world.trust, now: NOW })) };
}

test("a request of the matter's agency is accepted, its name and terms taken from the ledger", async () => {
  const request = await judged(await World.make());
  assert.equal(request.agency.slug, "street");
  assert.equal(request.matter.document.retention_days, 30);
  assert.deepEqual([request.asked.required, request.asked.optional], [REQUIRED, ETHNICITY]);
  assert.deepEqual(periods(request), [1, 7, 30]);
});

const CHANGES = {
  "another wallet's nonce": [(claims) => ({ ...claims, wallet_nonce: "other" }), "request-replayed"],
  "an expired request": [(claims) => ({ ...claims, exp: NOW }), "request-expired"],
  "an unencrypted answer": [(claims) => ({ ...claims, response_mode: "direct_post" }), "request-malformed"],
  "an answer sent elsewhere": [(claims) => ({ ...claims, response_uri: "https://elsewhere.example/" }), "request-answer-elsewhere"],
  "another client_id": [(claims) => ({ ...claims, client_id: "x509_hash:other" }), "request-client-wrong"],
  "no terms": [({ transaction_data, ...claims }) => claims, "request-without-terms"],
  "terms of an unknown type": [(claims) => withTerms(claims, { type: "urn:other" }), "request-terms-wrong"],
  "terms of another agency": [(claims) => withTerms(claims, { agency: { number: 2 } }), "request-terms-wrong"],
  "terms of another document": [(claims) => withTerms(claims, { matter: { number: 1, version: 1, digest: "00" } }), "request-terms-wrong"],
  "terms of a matter that is not registered": [(claims) => withTerms(claims, { matter: { number: 1, version: 9, digest: "00" } }), "matter-not-on-ledger"],
  "a field outside the matter": [(claims) => withQuery(claims, { claims: [{ path: ["name"] }, { path: ["issuing_authority"] }] }), "request-over-asking"],
  "no list of fields, which would mean all": [(claims) => withQuery(claims, { claims: undefined }), "request-over-asking"],
  "fewer fields than the matter says": [(claims) => withQuery(claims, { claims: [{ path: ["name"] }] }), "request-terms-wrong"],
  "another certificate type": [(claims) => withQuery(claims, { meta: { vct_values: [TYPE.vct, "urn:other"] } }), "request-over-asking"],
  "a nested field path": [(claims) => withQuery(claims, { claims: [{ path: ["name", null] }] }), "request-over-asking"],
  "a second credential": [(claims) => ({ ...claims, dcql_query: { credentials: Array(2).fill(claims.dcql_query.credentials[0]) } }), "request-over-asking"],
};

for (const [what, [change, code]] of Object.entries(CHANGES)) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(judged(await World.make(), { change }), { code });
  });
}

test("refused: a requester whose key is not on the ledger", async () => {
  const world = await World.make();
  await assert.rejects(judged(world, { pair: world.keys.stranger }), { code: "asker-not-on-ledger" });
});

test("refused: a request whose claims were altered after signing", async () => {
  const world = await World.make();
  const { jws, ...request } = await world.request({ walletNonce });
  const [header, payload, signature] = jws.split(".");
  const altered = b64url(utf8(JSON.stringify({ ...peek(jws).payload, state: "x" })));
  assert.notEqual(altered, payload);
  const attempt = judge(`${header}.${altered}.${signature}`, { ...request, walletNonce, trust: world.trust, now: NOW });
  await assert.rejects(attempt, { code: "request-signature" });
});

test("refused: a matter that its issuer has not approved", async () => {
  await assert.rejects(judged(await World.make({ approved: false })), { code: "matter-not-in-force" });
});

async function holding(world) {
  const pair = await makeKey();
  const text = await world.certificate(pair);
  await world.store.put("keys", "c", pair);
  await makeSeed(world.store);
  const sent = [];
  world.routes.set("/agencies/street/oid4vp/responses/1", (options) => {
    sent.push(Object.fromEntries(options.body));
    return { redirect_uri: `${BASE}/matters/done` };
  });
  const home = {
    slug: "data",
    number: 2,
    async grant(body) {
      home.body = body;
      const { consent } = peek(body.kb_jwt).payload;
      const { handle, masks, not_after, uses } = { ...consent, ...home.twist };
      const index = world.record(2, [30, fromB64url(handle), 1, 1, masks, not_after, uses, new Uint8Array(32)]);
      return { receipt: world.log.receipt(index), handle };
    },
  };
  return { certificate: { id: "c", text }, pair, home, sent };
}

const choice = { optional: [], days: 7, uses: 2 };

test("the answer: one signature over terms, choices and presentation; two locks; only chosen fields", async () => {
  const world = await World.make();
  const request = await judged(world);
  const { certificate, pair, home, sent } = await holding(world);
  const done = await answer({ request, certificate, choice, store: world.store, trust: world.trust, home, now: () => NOW });
  assert.equal(done.redirect, `${BASE}/matters/done`);

  const { payload } = await verify(home.body.kb_jwt, await publicJwk(pair), { typ: ["kb+jwt"], code: "wrong" });
  assert.deepEqual([payload.aud, payload.nonce, payload.iat], [request.payload.client_id, "nonce", NOW]);
  assert.deepEqual(payload.transaction_data_hashes, [b64url(sha256(utf8(request.entry)))]);
  assert.deepEqual(payload.consent, { handle: done.handle, masks: [REQUIRED], not_after: NOW + 7 * 86400, uses: 2, recorder: "data" });
  assert.equal(b64url(sha256(done.secret)), done.handle);

  const outer = await compactDecrypt(sent[0].response, fromB64url(home.body.one_time_key));
  assert.deepEqual([outer.protectedHeader.kid, outer.protectedHeader.iss], [done.handle, "data"]);
  const inner = await compactDecrypt(outer.plaintext, world.readerKey.privateKey);
  const { vp_token, state } = JSON.parse(new TextDecoder().decode(inner.plaintext));
  const presented = vp_token["resident-id"][0];
  assert.equal(state, "state");
  assert.equal(payload.sd_hash, b64url(sha256(utf8(presented.slice(0, presented.lastIndexOf("~") + 1)))));
  const shown = presented.split("~").slice(1, -1).map((disclosure) => JSON.parse(new TextDecoder().decode(fromB64url(disclosure)))[1]);
  assert.deepEqual(shown, ["name", "sex", "birth_date", "address", "id_number"]);
});

test("nothing is sent when the home agency recorded something else", async () => {
  for (const twist of [{ masks: [REQUIRED + ETHNICITY] }, { uses: 3 }, { not_after: NOW + 30 * 86400 }]) {
    const world = await World.make();
    const request = await judged(world);
    const { certificate, home, sent } = await holding(world);
    home.twist = twist;
    const attempt = answer({ request, certificate, choice, store: world.store, trust: world.trust, home, now: () => NOW });
    await assert.rejects(attempt, { code: "grant-receipt-wrong" });
    assert.equal(sent.length, 0);
    assert.equal((await world.store.all("grants")).length, 1, "kept, so that it can be withdrawn");
  }
});

test("an optional field outside the matter, or more uses than it allows, cannot be agreed to", async () => {
  const world = await World.make();
  const request = await judged(world);
  const { certificate, home } = await holding(world);
  for (const beyond of [{ optional: ["name"] }, { uses: 4 }, { uses: 0 }]) {
    const attempt = answer({ request, certificate, choice: { ...choice, ...beyond }, store: world.store, trust: world.trust, home, now: () => NOW });
    await assert.rejects(attempt, { code: "consent-beyond-matter" });
  }
  assert.equal(home.body, undefined);
});

const REFUSED = {
  "by another key than the agency's on the ledger": [(world) => ({ pair: world.keys.stranger }), "certificate-signature"],
  "of another kind of token": [() => ({ typ: "jwt" }), "certificate-signature"],
  "of another type": [() => ({ change: (payload) => ({ ...payload, vct: "urn:other" }) }), "certificate-other"],
  "from another issuer": [() => ({ change: (payload) => ({ ...payload, iss: "https://other.example" }) }), "certificate-other"],
  "bound to another phone": [() => ({ change: ({ cnf, ...payload }) => payload }), "certificate-other-phone"],
  "that has expired": [() => ({ change: (payload) => ({ ...payload, exp: NOW }) }), "certificate-expired"],
  "with disclosures its issuer did not sign": [() => ({ change: (payload) => ({ ...payload, _sd: payload._sd.slice(1) }) }), "certificate-malformed"],
};

for (const [what, [options, code]] of Object.entries(REFUSED)) {
  test(`not kept: a certificate ${what}`, async () => {
    const world = await World.make();
    const pair = await makeKey();
    const check = async (text) => checkCertificate({ text, issueKeys: await world.trust.issueKeys(await world.trust.current(1)), type: await world.trust.type(1), issuer: `${BASE}/agencies/psb`, pair, now: NOW });
    assert.equal((await check(await world.certificate(pair))).claims.name, "value of name");
    await assert.rejects(check(await world.certificate(pair, options(world))), { code });
  });
}

function withTerms(claims, change) {
  const terms = { ...JSON.parse(new TextDecoder().decode(fromB64url(claims.transaction_data[0]))), ...change };
  return { ...claims, transaction_data: [b64url(utf8(JSON.stringify(terms)))] };
}

function withQuery(claims, change) {
  return { ...claims, dcql_query: { credentials: [{ ...claims.dcql_query.credentials[0], ...change }] } };
}
