// Claiming a certificate: OpenID4VCI 1.0, pre-authorized code flow with tx_code (§3.5, §4.1, §6, §7, §8, §11, §12.2).
//
// A certificate is kept only when, in this order:
//   1. its issuer is an agency the ledger's state accredits for the type now, and not suspended
//   2. the signature verifies under that agency's issue key as the ledger has it (the one in force, or the one just
//      replaced unless it was revoked), not under a key the certificate brings along
//   3. it is of the type offered, from the issuer asked, in force now, and bound to a holder key of this phone
//   4. its fields are those of the registered type
// Its anchor on the ledger is looked for afterwards (`findAnchor`): the issuer may still be waiting for the block.

import { concat, equal, fromB64url, utf8 } from "./bytes.js";
import { WalletError, demand } from "./errors.js";
import { call, getJson, getText } from "./http.js";
import { verify } from "./jws.js";
import { makeHolderKey, possessionProof, publicJwk, sha256 } from "./keys.js";
import { parse } from "./sdjwt.js";

const PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
const TYPES = ["dc+sd-jwt", "vc+sd-jwt"];
const ANCHOR = utf8("govchain/anchor/v1\n");
const CLOCK_SKEW = 120;
const DEFERRED_TRIES = 20;

/** What an offer link offers: {offer, issuer (metadata), server, agency, type}; nothing is claimed yet. */
export async function readOffer(params, trust, base = location.origin) {
  const offer = params.get("credential_offer")
    ? parseOffer(params.get("credential_offer"))
    : await getJson(webUrl(params.get("credential_offer_uri"), "offer-malformed"));
  const issuerUrl = webUrl(offer.credential_issuer, "offer-malformed");
  const grant = offer.grants?.[PRE_AUTHORIZED];
  demand(grant?.["pre-authorized_code"] && offer.credential_configuration_ids?.length > 0, "offer-malformed");
  const agency = await issuingAgency(issuerUrl, trust, base);
  const issuer = await getJson(wellKnown(issuerUrl, "openid-credential-issuer"));
  demand(issuer.credential_issuer === offer.credential_issuer, "issuer-metadata-wrong");
  const [configurationId] = offer.credential_configuration_ids;
  const configuration = issuer.credential_configurations_supported?.[configurationId];
  demand(configuration && TYPES.includes(configuration.format), "offer-format-unknown");
  const serverUrl = issuer.authorization_servers?.[0] ?? issuerUrl;
  const server = await getJson(wellKnown(webUrl(serverUrl, "issuer-metadata-wrong"), "oauth-authorization-server"));
  demand(server.issuer === serverUrl && server.token_endpoint, "issuer-metadata-wrong");
  const type = await accreditedType(trust, agency, configuration.vct);
  return { offer, grant, issuer, server, configurationId, agency, type };
}

/** Claims the certificate. `report(step, steps)` follows progress. → the stored certificate. */
export async function claim({ offered, txCode, store, trust, now, report = () => {} }) {
  const { issuer, server, grant, configurationId, agency, type } = offered;
  report(1, 5);
  const before = await trust.advance();
  const form = { grant_type: PRE_AUTHORIZED, "pre-authorized_code": grant["pre-authorized_code"] };
  if (grant.tx_code) form.tx_code = txCode;
  const token = await getJson(server.token_endpoint, { form });
  demand(token.access_token && token.token_type?.toLowerCase() === "bearer", "server-answer-malformed");
  const headers = { Authorization: `Bearer ${token.access_token}` };
  report(2, 5);
  const nonce = issuer.nonce_endpoint ? (await getJson(issuer.nonce_endpoint, { method: "POST" })).c_nonce : undefined;
  const { pair, salt, binding } = await makeHolderKey(store);
  const proof = await possessionProof(pair, { issuer: issuer.credential_issuer, nonce, now: now(), binding });
  const identifier = token.authorization_details?.find((detail) => detail.credential_identifiers)?.credential_identifiers[0];
  const wanted = identifier ? { credential_identifier: identifier } : { credential_configuration_id: configurationId };
  // The holder key is kept before it is named to anyone: a certificate without its key would be worth nothing.
  const id = crypto.randomUUID();
  await store.put("keys", id, pair);
  report(3, 5);
  try {
    const answer = await issued(issuer, headers, { ...wanted, proofs: { jwt: [proof] } });
    const text = answer.credentials?.[0]?.credential;
    demand(typeof text === "string", "server-answer-malformed");
    report(4, 5);
    // Asked anew: between the offer and the claim its keys may have been rotated, or the agency suspended.
    const issueKeys = await trust.issueKeys(await trust.current(agency.number));
    const checked = await checkCertificate({ text, issueKeys, type, issuer: issuer.credential_issuer, pair, now: now() });
    const certificate = { id, ...checked, type, agency: agencyWords(agency), holderSalt: salt, claimed: now(), searchFrom: before.size, anchor: null };
    await store.put("certificates", id, certificate);
    await notify(issuer, headers, answer.notification_id, "credential_accepted");
    report(5, 5);
    return certificate;
  } catch (error) {
    await store.remove("keys", id);
    throw error;
  }
}

/** Checks 2–4 of the list above; → {text, claims, issued, expires, issuer, commitment}. */
export async function checkCertificate({ text, issueKeys, type, issuer, pair, now }) {
  const { jwt, payload, claims } = await parse(text);
  await verifyByAny(jwt, issueKeys);
  demand(payload.vct === type.vct && payload.iss === issuer, "certificate-other");
  const { x, y } = await publicJwk(pair);
  demand(payload.cnf?.jwk?.x === x && payload.cnf.jwk.y === y, "certificate-other-phone");
  demand((payload.nbf ?? 0) <= now + CLOCK_SKEW && (payload.exp ?? Infinity) > now, "certificate-expired");
  const known = type.fields.map((field) => field.id);
  demand(Object.keys(claims).every((name) => known.includes(name)), "certificate-other");
  const commitment = await commitmentOf(jwt, payload.anchor_salt);
  const matters = type.representation ? payload.matters : undefined;
  return { text, claims, issuer, issued: payload.iat, expires: payload.exp, commitment, matters };
}

async function verifyByAny(jwt, [key, ...others]) {
  try {
    return await verify(jwt, key, { typ: TYPES, code: "certificate-signature" });
  } catch (error) {
    if (!(error instanceof WalletError) || error.code !== "certificate-signature" || others.length === 0) throw error;
    return verifyByAny(jwt, others);
  }
}

/** The anchor of a certificate: SHA-256(label ‖ salt ‖ issuer-signed JWT). */
export async function commitmentOf(jwt, salt) {
  demand(typeof salt === "string", "certificate-malformed");
  return sha256(concat(ANCHOR, fromB64url(salt), utf8(jwt)));
}

/**
 * Looks for the record that anchors the certificate, from where the log ended when it was claimed, and keeps its
 * receipt. Reads the public list of issue records, so nobody learns which of them is ours. → the certificate.
 */
export async function findAnchor(certificate, { store, trust, base = location.origin }) {
  if (certificate.anchor) return certificate;
  for (let after = Math.max(0, certificate.searchFrom - 1), more = true; more; ) {
    const query = new URLSearchParams({ after, limit: 200, kind: 20, agency: certificate.agency.number });
    const { rows } = await getJson(`${base}/ledger/records?${query}`);
    demand(Array.isArray(rows), "server-answer-malformed");
    const wanted = Array.from(certificate.commitment, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const row = rows.find(({ values }) => values?.commitment === wanted);
    if (row) return keepAnchor(certificate, await getText(`${base}/ledger/receipts/${row.index}`), { store, trust });
    more = rows.length === 200;
    after = rows.at(-1)?.index ?? after;
  }
  return certificate;
}

async function keepAnchor(certificate, text, { store, trust }) {
  const { name, agency, values, index, time } = await trust.receipt(text);
  const genuine = name === "issue" && agency === certificate.agency.number && values.type === certificate.type.number;
  demand(genuine && equal(values.commitment, certificate.commitment), "anchor-wrong");
  const anchored = { ...certificate, anchor: { receipt: text, index, time } };
  await store.put("certificates", certificate.id, anchored);
  return anchored;
}

async function issued(issuer, headers, json) {
  const answer = await call(issuer.credential_endpoint, { json, headers });
  if (answer.status !== 202) return answer.json();
  const { transaction_id, interval = 5 } = answer.json();
  demand(transaction_id && issuer.deferred_credential_endpoint, "server-answer-malformed");
  for (let tries = 0; tries < DEFERRED_TRIES; tries++) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(interval, 1), 30) * 1000));
    const later = await call(issuer.deferred_credential_endpoint, { json: { transaction_id }, headers });
    if (later.status !== 202) return later.json();
  }
  throw new WalletError("issuing-slow");
}

async function notify(issuer, headers, notification_id, event) {
  if (!issuer.notification_endpoint || !notification_id) return;
  try {
    await call(issuer.notification_endpoint, { json: { notification_id, event }, headers });
  } catch (error) {
    // §11: a courtesy to the issuer; the certificate is already kept.
    if (!(error instanceof WalletError)) throw error;
  }
}

/** The agency behind an issuer's address. A stranger's page must not wear its name, nor be told the transaction code. */
async function issuingAgency(issuerUrl, trust, base) {
  const { agencies } = await getJson(`${base}/directory.json`);
  demand(Array.isArray(agencies), "server-answer-malformed");
  const listed = agencies.find(({ base_url, slug }) => `${base_url}/agencies/${slug}` === issuerUrl);
  demand(listed, "issuer-elsewhere");
  return trust.agencyBySlug(listed.slug);
}

async function accreditedType(trust, agency, vct) {
  // 0 is no type: it stands for looking after citizens.
  for (const number of agency.types.filter((each) => each > 0)) {
    const type = await registered(trust, number);
    if (type?.vct === vct && type.registrar === agency.number) return type;
  }
  throw new WalletError("issuer-not-accredited");
}

/** A type that an agency may issue but has not registered yet is none. */
async function registered(trust, number) {
  try {
    return await trust.type(number);
  } catch (error) {
    if (error.code !== "type-not-on-ledger") throw error;
    return null;
  }
}

function parseOffer(text) {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WalletError("offer-malformed", { cause });
  }
}

/** §12.2.2: the well-known part goes between host and path. */
export function wellKnown(url, name) {
  const { origin, pathname } = new URL(url);
  return `${origin}/.well-known/${name}${pathname === "/" ? "" : pathname}`;
}

/** An https URL, or http on loopback; throws `WalletError(code)`. */
export function webUrl(text, code) {
  const url = URL.canParse(String(text)) ? new URL(text) : null;
  const loopback = ["localhost", "127.0.0.1", "[::1]"].includes(url?.hostname);
  demand(url && !url.username && (url.protocol === "https:" || (url.protocol === "http:" && loopback)), code);
  return String(text);
}

const agencyWords = ({ number, slug, name }) => ({ number, slug, name });
