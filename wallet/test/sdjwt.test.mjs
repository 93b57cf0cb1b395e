import assert from "node:assert/strict";
import { test } from "node:test";

import { b64url, utf8 } from "../src/bytes.js";
import { makeKey, publicJwk, sha256 } from "../src/keys.js";
import { sign, verify } from "../src/jws.js";
import { bind, parse, select } from "../src/sdjwt.js";

// RFC 9901 §4.2.3: a disclosure and its digest.
const RFC_DISCLOSURE = "WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0";
const RFC_DIGEST = "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY";

const disclosure = (...parts) => b64url(utf8(JSON.stringify(parts)));
const digest = async (text) => b64url(await sha256(text));

async function issued(disclosures, change = (payload) => payload) {
  const pair = await makeKey();
  const payload = change({ vct: "t", _sd: await Promise.all(disclosures.map(digest)), _sd_alg: "sha-256" });
  return `${[await sign({ typ: "dc+sd-jwt" }, payload, pair.privateKey), ...disclosures].join("~")}~`;
}

test("the disclosure of RFC 9901 §4.2.3 has the digest printed there", async () => {
  const { claims, payload } = await parse(await issued([RFC_DISCLOSURE]));
  assert.deepEqual(payload._sd, [RFC_DIGEST]);
  assert.deepEqual(claims, { family_name: "Möbius" });
});

test("chosen disclosures keep their bytes and order; others stay out", async () => {
  const [a, b, c] = [disclosure("1", "a", 1), disclosure("2", "b", 2), disclosure("3", "c", 3)];
  const held = await parse(await issued([a, b, c]));
  assert.equal(select(held, ["c", "a"]), `${held.jwt}~${a}~${c}~`);
  assert.throws(() => select(held, ["d"]), { code: "certificate-lacks-field" });
});

test("the key binding covers the exact bytes presented", async () => {
  const pair = await makeKey();
  const held = await parse(await issued([RFC_DISCLOSURE]));
  const { text, keyBinding } = await bind(select(held, []), { aud: "a", nonce: "n", iat: 1 }, pair.privateKey);
  assert.equal(text, `${held.jwt}~${keyBinding}`);
  const { payload } = await verify(keyBinding, await publicJwk(pair), { typ: ["kb+jwt"], code: "x" });
  assert.equal(payload.sd_hash, await digest(`${held.jwt}~`));
});

const twice = disclosure("1", "a", 1);
const REFUSED = {
  "a disclosure nobody signed": async () => (await issued([twice])) + `${disclosure("9", "z", 1)}~`,
  "one disclosure twice": async () => (await issued([twice])) + `${twice}~`,
  "one digest twice": () => issued([twice], (payload) => ({ ...payload, _sd: [...payload._sd, ...payload._sd] })),
  "two values for one name": () => issued([twice, disclosure("2", "a", 2)]),
  "a name that is also in the clear": () => issued([twice], (payload) => ({ ...payload, a: 1 })),
  "a claim named _sd": () => issued([disclosure("1", "_sd", [])]),
  "a claim named ...": () => issued([disclosure("1", "...", "x")]),
  "a concealed claim that must be open": () => issued([disclosure("1", "vct", "x")], ({ vct, ...payload }) => payload),
  "another hash": () => issued([twice], (payload) => ({ ...payload, _sd_alg: "sha-512" })),
  "a disclosure that is no array of three": () => issued([disclosure("1", "a")]),
  "a disclosure that is no JSON": () => issued([b64url(utf8("x"))]),
  "a presentation instead of a certificate": async () => (await issued([twice])) + "a.b.c",
  "no JWT": () => "~",
};

for (const [what, make] of Object.entries(REFUSED)) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(parse(await make()), { code: "certificate-malformed" });
  });
}
