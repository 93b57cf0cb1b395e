import assert from "node:assert/strict";
import { createHash, hkdfSync } from "node:crypto";
import { test } from "node:test";

import { hex } from "../src/bytes.js";
import { verify } from "../src/jws.js";
import { deviceProof, makeHolderKey, makeKey, possessionProof, publicJwk, thumbprintOf } from "../src/keys.js";
import { compress, toJwk } from "../src/p256.js";
import { isWeak, keepVerifier, opensDisplay } from "../src/pin.js";
import { allSecrets, derive, makeSeed, nextSecret, restoreSeeds, seedsOf } from "../src/secrets.js";
import { memoryStore } from "./memory.mjs";

test("compressed points and JWKs are the same keys, both ways", async () => {
  for (let i = 0; i < 8; i++) {
    const jwk = await publicJwk(await makeKey());
    const { x, y } = toJwk(compress(jwk));
    assert.deepEqual([x, y], [jwk.x, jwk.y]);
  }
});

test("bytes that are no point of the curve are refused", () => {
  for (const [first, x] of [[0, 5], [4, 5], [2, 7], [3, 11]]) assert.throws(() => toJwk(Uint8Array.from([first, ...new Uint8Array(31), x])));
  assert.throws(() => toJwk(new Uint8Array(32)));
  assert.throws(() => toJwk(Uint8Array.from([2, ...new Uint8Array(32).fill(255)])));
});

test("private keys cannot be read out", async () => {
  const { privateKey } = await makeKey();
  assert.equal(privateKey.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("jwk", privateKey));
});

test("a device proof binds method, address and time; a possession proof issuer and nonce", async () => {
  const pair = await makeKey();
  const jwk = await publicJwk(pair);
  const device = await verify(await deviceProof(pair, { method: "POST", url: "https://a/b", now: 7 }), jwk, { typ: ["dpop+jwt"], code: "x" });
  assert.deepEqual([device.payload.htm, device.payload.htu, device.payload.iat], ["POST", "https://a/b", 7]);
  assert.ok(device.payload.jti.length >= 16);
  const token = await possessionProof(pair, { issuer: "https://i", nonce: "n", now: 7, binding: "b" });
  const { header, payload } = await verify(token, jwk, { typ: ["openid4vci-proof+jwt"], code: "x" });
  assert.deepEqual([header.jwk, payload], [jwk, { aud: "https://i", iat: 7, nonce: "n", holder_binding: "b" }]);
});

test("another key, another typ, another algorithm do not verify", async () => {
  const [pair, other] = [await makeKey(), await makeKey()];
  const token = await deviceProof(pair, { method: "GET", url: "https://a", now: 1 });
  const refused = (text, jwk, typ) => assert.rejects(verify(text, jwk, { typ: [typ], code: "refused" }), { code: "refused" });
  const jwk = await publicJwk(pair);
  await refused(token, await publicJwk(other), "dpop+jwt");
  await refused(token, jwk, "kb+jwt");
  for (const alg of ["none", "HS256", "ES384"]) {
    const header = Buffer.from(JSON.stringify({ typ: "dpop+jwt", alg })).toString("base64url");
    await refused(`${header}.${token.split(".").slice(1).join(".")}`, jwk, "dpop+jwt");
  }
});

test("each certificate has a key of its own, committed to this phone's", async () => {
  const store = memoryStore();
  await store.put("keys", "device", await makeKey());
  const [one, other] = [await makeHolderKey(store), await makeHolderKey(store)];
  assert.notDeepEqual(await publicJwk(one.pair), await publicJwk(other.pair));
  assert.notEqual(one.binding, other.binding);
  const device = await thumbprintOf(await store.get("keys", "device"));
  const hash = createHash("sha256").update("govchain/holder-binding/v1\n").update(Buffer.from(one.salt, "base64url")).update(device);
  assert.equal(one.binding, hash.digest("base64url"));
});

test("handle secrets are HKDF-SHA-256 of the seed and a counter", async () => {
  const seed = new Uint8Array(32).fill(3);
  const info = Buffer.concat([Buffer.from("govchain/handle/v1\n"), Buffer.from([0, 0, 1, 2])]);
  const expected = Buffer.from(hkdfSync("sha256", seed, "", info, 32)).toString("hex");
  assert.equal(hex(await derive(seed, 258)), expected);
});

test("secrets never repeat, and all are found again from the seed", async () => {
  const store = memoryStore();
  await makeSeed(store);
  const taken = [await nextSecret(store), await nextSecret(store), await nextSecret(store)];
  assert.equal(new Set(taken.map(({ handle }) => hex(handle))).size, 3);
  const found = await allSecrets(store);
  assert.deepEqual(found, taken);
  for (const { secret, handle } of found) assert.equal(hex(handle), createHash("sha256").update(secret).digest("hex"));
});

test("restored seeds are looked through, never taken for a new grant", async () => {
  const [old, store] = [memoryStore(), memoryStore()];
  await makeSeed(old);
  await makeSeed(store);
  const before = [await nextSecret(old), await nextSecret(old)];
  const own = await nextSecret(store);
  await restoreSeeds(store, await seedsOf(old));
  await restoreSeeds(store, await seedsOf(old));
  const found = (await allSecrets(store)).map(({ handle }) => hex(handle));
  assert.equal(found.length, new Set(found).size);
  for (const { handle } of [...before, own]) assert.ok(found.includes(hex(handle)));
  const next = hex((await nextSecret(store)).handle);
  assert.ok(!found.includes(next));
});

test("the display opens with the PIN that was set, and no other", async () => {
  const store = memoryStore();
  assert.equal(await opensDisplay(store, "271904"), false);
  await keepVerifier(store, "271904");
  assert.equal(await opensDisplay(store, "271904"), true);
  assert.equal(await opensDisplay(store, "271905"), false);
});

test("PINs that are guessed first are refused", () => {
  for (const pin of ["111111", "123456", "987654"]) assert.ok(isWeak(pin), pin);
  for (const pin of ["271904", "112358"]) assert.ok(!isWeak(pin), pin);
});
