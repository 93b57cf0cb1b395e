// A small world for the wallet's tests: three agencies with keys, a ledger (test/log.mjs) behind `fetch`, one type, one
// matter, one certificate. Everything is signed and hashed for real; only the network is a function.

import { sha256 } from "@noble/hashes/sha2.js";

import { b64url, base64, concat, fromHex, hex, utf8 } from "../src/bytes.js";
import { encode } from "../src/cbor.js";
import { sign } from "../src/jws.js";
import { makeKey, publicJwk } from "../src/keys.js";
import { compress } from "../src/p256.js";
import { Trust } from "../src/trust.js";
import { Log } from "./log.mjs";
import { stateProof } from "./map.mjs";
import { memoryStore } from "./memory.mjs";

export const BASE = "http://localhost:8000";
export const NOW = 1_795_000_000;
const text = (zh, en) => ({ zh, en });
const digestOf = (value) => sha256(utf8(JSON.stringify(value)));

const FIELDS = ["name", "sex", "ethnicity", "birth_date", "address", "id_number"].map((id) => ({ id, zh: id, en: id, grade: 3 }));
export const TYPE = { kind: "type", id: "resident-id", number: 1, version: 1, issuer: 1, name: text("居民身份证", "Resident ID"), vct: "urn:govchain:type:resident-id", fields: FIELDS, validity_days: 3650 };
export const MATTER = {
  kind: "matter", id: "residence-permit", number: 1, version: 1, agency: 3, name: text("居住证办理", "Residence permit"), purpose: text("办证", "Permit"), legal_basis: text("条例", "Regulation"),
  types: [{ type: 1, version: 1, required: ["name", "sex", "birth_date", "address", "id_number"], optional: ["ethnicity"] }],
  retention_days: 30, max_life_days: 30, max_uses: 3, offline: text("到窗口", "At a counter"),
};
export const REQUIRED = 0b111011;
export const ETHNICITY = 0b000100;

export class World {
  /** `committee`: validators that genesis names, {rows, line}. */
  static async make({ matter = MATTER, masks = [[1, 1, REQUIRED, ETHNICITY]], approved = true, committee = null, loadBls } = {}) {
    const world = new World();
    world.documents = new Map();
    world.log = new Log("ledger.test.example");
    world.keys = Object.fromEntries(await Promise.all(["issue", "request", "stranger"].map(async (name) => [name, await makeKey()])));
    const [issue, request] = await Promise.all([world.keys.issue, world.keys.request].map(async (pair) => compress(await publicJwk(pair))));
    const slugs = ["psb", "data", "street"];
    const profiles = slugs.map((slug, i) => ({ kind: "agency", number: i + 1, slug, name: text(slug, slug) }));
    const other = concat(Uint8Array.of(3), new Uint8Array(32).fill(1));
    const agencies = profiles.map((profile, i) => [
      i + 1, 1, new Uint8Array(32), issue, i === 2 ? request : other, world.publish(profile),
    ]);
    const checkpointKey = world.log.publicKey;
    const genesis = [agencies, [[1, 1]], checkpointKey, NOW, []];
    world.record(0, committee ? [1, 2, ...genesis, committee.rows] : [1, 1, ...genesis]);
    world.log.named = committee?.line ?? "";
    world.record(1, [10, 1, 1, world.publish(TYPE), FIELDS.map((field) => field.grade)]);
    world.record(3, [11, 1, 1, world.publish(matter), masks, 30 * 86400, 3, 30]);
    if (approved) world.record(1, [12, 1, 1, 1]);
    world.matterDigest = hex(digestOf(matter));
    world.store = memoryStore();
    world.routes = new Map();
    globalThis.fetch = (url, options) => world.answer(new URL(url), options);
    world.trust = await Trust.open(world.store, BASE, loadBls);
    await world.trust.pin(world.log.vkey);
    return world;
  }

  publish(value) {
    const digest = digestOf(value);
    this.documents.set(hex(digest), JSON.stringify(value));
    return digest;
  }

  record(agency, record, time = NOW) {
    return this.log.append(encode([time, agency, record]));
  }

  /** A vote that passes: an entry, and what the state holds under `key` from it on. */
  voted(key, value) {
    this.log.votes.push({ at: this.record(1, [41, 1, 1]), key, value });
  }

  async answer({ pathname, searchParams, href }, options) {
    const route = this.routes.get(pathname) ?? this.routes.get(href);
    if (route) return reply(await route(options, searchParams));
    const [, door, name, id] = pathname.split("/");
    if (door !== "ledger") return reply({ title: "没有", status: 404, code: "not-found" }, 404);
    if (name === "genesis") return reply(this.log.receipt(0));
    if (name === "checkpoint") return reply(this.log.checkpoint());
    if (name === "certified") return reply({ title: "没有", status: 404, code: "not-found" }, 404);
    if (name === "documents") return reply(this.documents.get(id));
    if (name === "types") return reply({ receipts: [this.log.receipt(1)] });
    if (name === "matters") return reply({ receipts: this.log.entries.length > 3 ? [this.log.receipt(2), this.log.receipt(3)] : [this.log.receipt(2)] });
    if (name === "state") return reply(stateProof(this.log, fromHex(id)));
    if (name === "consistency") {
      const [from, to] = ["from", "to"].map((key) => Number(searchParams.get(key)));
      return reply({ proof: this.log.consistency(from, to).map(base64) });
    }
    throw new Error(`no answer for ${pathname}`);
  }

  /** A request object by the street agency; `change` alters its claims before signing. */
  async request({ walletNonce, change = (claims) => claims, pair = this.keys.request, digest = this.matterDigest } = {}) {
    const leaf = await certificate(pair);
    const clientId = `x509_hash:${b64url(sha256(leaf))}`;
    const terms = { type: "urn:govchain:consent:1", credential_ids: ["resident-id"], matter: { number: 1, version: 1, digest }, agency: { number: 3 }, request_id: crypto.randomUUID(), expires: NOW + 600, transaction_data_hashes_alg: ["sha-256"] };
    this.readerKey = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", this.readerKey.publicKey);
    const names = [...MATTER.types[0].required, "ethnicity"];
    const claims = change({
      client_id: clientId, aud: "https://self-issued.me/v2", response_type: "vp_token", response_mode: "direct_post.jwt",
      response_uri: `${BASE}/agencies/street/oid4vp/responses/1`, nonce: "nonce", state: "state", iat: NOW, exp: NOW + 600,
      dcql_query: { credentials: [{ id: "resident-id", format: "dc+sd-jwt", meta: { vct_values: [TYPE.vct] }, claims: names.map((name) => ({ id: name, path: [name] })), claim_sets: [names, names.slice(0, -1)] }] },
      client_metadata: { jwks: { keys: [{ kty, crv, x, y, kid: "1", use: "enc", alg: "ECDH-ES" }] }, encrypted_response_enc_values_supported: ["A256GCM"] },
      wallet_nonce: walletNonce,
      transaction_data: [b64url(utf8(JSON.stringify(terms)))],
    });
    const jws = await sign({ typ: "oauth-authz-req+jwt", x5c: [base64(leaf)] }, claims, pair.privateKey);
    return { jws, clientId, requestUri: `${BASE}/agencies/street/oid4vp/requests/1` };
  }

  /** An SD-JWT VC for `holder`, as the first agency issues it; `change` alters the payload. */
  async certificate(holder, { change = (payload) => payload, pair = this.keys.issue, typ = "dc+sd-jwt" } = {}) {
    const disclosures = FIELDS.map(({ id }, i) => b64url(utf8(JSON.stringify([`salt-${i}`, id, `value of ${id}`]))));
    const payload = change({
      iss: `${BASE}/agencies/psb`, iat: NOW, nbf: NOW, exp: NOW + 86400, vct: TYPE.vct, cnf: { jwk: await publicJwk(holder) },
      anchor_salt: b64url(new Uint8Array(16).fill(5)), _sd: disclosures.map((disclosure) => b64url(sha256(utf8(disclosure)))), _sd_alg: "sha-256",
    });
    const jwt = await sign({ typ, kid: "issue" }, payload, pair.privateKey);
    return `${[jwt, ...disclosures].join("~")}~`;
  }
}

function reply(value, status = 200) {
  return new Response(typeof value === "string" ? value : JSON.stringify(value), { status });
}

/** The least X.509 v3 that carries a key (RFC 5280 §4.1); nobody checks its signature: the ledger vouches for the key. */
async function certificate(pair) {
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const algorithm = der(0x30, Uint8Array.of(6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2));
  const name = der(0x30);
  const validity = der(0x30, der(0x17, utf8("260101000000Z")), der(0x17, utf8("300101000000Z")));
  const body = der(0x30, der(0xa0, der(2, Uint8Array.of(2))), der(2, Uint8Array.of(1)), algorithm, name, validity, name, spki);
  return der(0x30, body, algorithm, der(3, new Uint8Array(65)));
}

function der(tag, ...parts) {
  const body = concat(...parts);
  const length = body.length < 128 ? [body.length] : body.length < 256 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 255];
  return concat(Uint8Array.of(tag, ...length), body);
}
