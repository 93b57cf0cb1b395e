// Presenting: OpenID4VP 1.0 (§5, §5.10, §6 DCQL, §8.3.1, §8.4), HAIP's x509_hash and encrypted answer.
//
// A request is shown to the citizen only when, in this order:
//   1. it is a request object for us (typ, aud, direct_post.jwt), fresh, and answers the nonce this wallet sent
//   2. its client_id is the hash of its certificate, and its signature is by that certificate's key
//   3. that key is the request key that the ledger's state has now for the agency named in the terms, which is not
//      suspended; the name shown is the ledger's
//   4. its answer goes to where the request came from
//   5. its terms name a matter of that agency, in force on the ledger, by the digest registered there
//   6. it asks for that matter's fields and nothing else (over-asking is refused here, not only by the ledger)
//
// The answer, once agreed: KB-JWT signing terms and choices → grant at the home agency, its receipt verified here →
// presentation under two locks (the asker's key inside, the one-time key outside).

import { CompactEncrypt, exportJWK, importX509 } from "jose";

import { b64url, equal, fromB64url, fromBase64, fromUtf8, utf8 } from "./bytes.js";
import { WalletError, demand } from "./errors.js";
import { call, getJson } from "./http.js";
import { peek, verify } from "./jws.js";
import { randomText, sha256 } from "./keys.js";
import { beside, principalOf } from "./mandates.js";
import { bind, parse, select } from "./sdjwt.js";
import { nextSecret } from "./secrets.js";
import { fieldsOf, maskOf } from "./trust.js";
import { webUrl } from "./vci.js";

export const CONSENT_TYPE = "urn:govchain:consent:1";
const METADATA = {
  transaction_data_types_supported: [CONSENT_TYPE],
  vp_formats_supported: { "dc+sd-jwt": { "sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"] } },
  client_id_prefixes_supported: ["x509_hash"],
};
const DAY = 86_400;
/** What a phone's clock may be ahead of the ledger's when it asks for a matter's longest period. */
const CLOCK_SKEW = 300;

/** Fetches and judges a request (`params`: client_id, request_uri, request_uri_method); → what is asked, verified. */
export async function readRequest(params, { trust, now }) {
  const clientId = params.get("client_id") ?? "";
  const requestUri = webUrl(params.get("request_uri"), "request-malformed");
  demand(clientId.startsWith("x509_hash:"), "request-client-unknown");
  demand(params.get("request_uri_method") === "post", "request-without-terms");
  const walletNonce = randomText();
  const form = { wallet_metadata: JSON.stringify(METADATA), wallet_nonce: walletNonce };
  const answer = await call(requestUri, { form, headers: { Accept: "application/oauth-authz-req+jwt" } });
  const asked = await judge(answer.text.trim(), { clientId, requestUri, walletNonce, trust, now: now() });
  return { ...asked, jws: answer.text.trim() };
}

/** Checks 1–6 of the list above. */
export async function judge(jws, { clientId, requestUri, walletNonce, trust, now }) {
  const { header, payload } = peek(jws, "request-malformed");
  demand(header.typ === "oauth-authz-req+jwt" && payload.aud === "https://self-issued.me/v2", "request-malformed");
  demand(payload.response_type === "vp_token" && payload.response_mode === "direct_post.jwt", "request-malformed");
  demand(Number.isInteger(payload.exp) && payload.exp > now, "request-expired");
  demand(payload.wallet_nonce === walletNonce, "request-replayed");

  const agency = await asker(jws, header, { clientId, claimed: payload.client_id, trust, number: agencyNamed(payload) });

  const responseUri = webUrl(payload.response_uri, "request-malformed");
  demand(new URL(responseUri).origin === new URL(requestUri).origin, "request-answer-elsewhere");
  demand(typeof payload.nonce === "string" && typeof payload.state === "string", "request-malformed");

  const { entry, terms } = readTerms(payload);
  demand(terms.agency?.number === agency.number, "request-terms-wrong");
  const matter = await trust.matter(terms.matter?.number, terms.matter?.version);
  demand(matter.digest === terms.matter.digest && matter.record.agency === agency.number, "request-terms-wrong");
  demand(matter.inForce, "matter-not-in-force");
  demand(matter.types.length === 1, "matter-several-types");

  const [asked] = matter.types;
  const names = namesAsked(payload.dcql_query, terms, asked);
  const registered = fieldsOf(asked.type.fields, asked.required + asked.optional).map((field) => field.id);
  demand(names?.every((name) => registered.includes(name)), "request-over-asking");
  demand(names.length === registered.length, "request-terms-wrong");
  const encryption = encryptionKey(payload.client_metadata);
  return { payload, responseUri, entry, terms, agency, matter, asked, encryption };
}

/** The periods a citizen may choose from, in days, shortest first; the matter's longest is the last. */
export const periods = ({ matter }) => {
  const longest = Math.floor(matter.record.values.max_life / DAY);
  return [...new Set([1, 7, 30].filter((days) => days < longest).concat(Math.max(longest, 1)))];
};

/**
 * Gives what was agreed: `choice` = {optional: [field ids], days, uses, mandate: under which somebody else is acted for,
 * or null}. `home` records the grant.
 * → {grant, redirect}; `report(step, steps)` follows progress.
 */
export async function answer({ request, certificate, choice, store, trust, home, now, report = () => {} }) {
  const { payload, responseUri, entry, agency, matter, asked, encryption, jws } = request;
  const fields = asked.type.fields;
  const names = fieldsOf(fields, asked.required).map((field) => field.id).concat(choice.optional);
  const mask = maskOf(fields, names);
  demand(names.length === new Set(names).size && choice.optional.every((name) => isOptional(asked, name)), "consent-beyond-matter");
  const { max_life, max_uses } = matter.record.values;
  demand(choice.uses >= 1 && choice.uses <= max_uses, "consent-beyond-matter");
  const life = Math.min(choice.days * DAY, max_life - CLOCK_SKEW);
  const recorder = home.slug;

  report(1, 4);
  const { counter, secret, handle } = await nextSecret(store);
  const at = now();
  const consent = { handle: b64url(handle), masks: [mask], not_after: at + life, uses: choice.uses, recorder };
  const acting = choice.mandate && (await beside(choice.mandate, { aud: payload.client_id, nonce: payload.nonce, at, store }));
  if (acting) consent.on_behalf_of = acting.commitment;
  const held = await parse(certificate.text);
  const pair = await store.get("keys", certificate.id);
  const { text, keyBinding } = await bind(
    select(held, names),
    {
      iat: at,
      aud: payload.client_id,
      nonce: payload.nonce,
      transaction_data_hashes: [b64url(await sha256(entry))],
      transaction_data_hashes_alg: "sha-256",
      consent,
    },
    pair.privateKey,
  );

  report(2, 4);
  const oneTimeKey = crypto.getRandomValues(new Uint8Array(32));
  const kept = {
    handle,
    counter,
    agency: agency.number,
    matter: { number: matter.document.number, version: matter.document.version },
    certificate: certificate.id,
    mask,
    given: at,
    notAfter: consent.not_after,
    uses: choice.uses,
    words: {
      matter: matter.document.name,
      agency: agency.name,
      fields: fieldsOf(fields, mask).map(({ id, zh, en }) => ({ id, zh, en })),
    },
    principal: choice.mandate ? principalOf(choice.mandate) : null,
    receipts: [],
  };
  // Kept before the home agency hears of it: whatever happens next, this phone can find and withdraw the grant.
  await store.put("grants", consent.handle, kept);
  const body = { issuer_jwt: held.jwt, kb_jwt: keyBinding, request: jws, one_time_key: b64url(oneTimeKey), secret: b64url(secret), holder_salt: certificate.holderSalt ?? "" };
  if (acting) body.mandate = acting.body;
  const granted = await recorded(home, body, () => store.remove("grants", consent.handle));
  await checkGrant(granted.receipt, { trust, home, handle, matter, consent });
  await store.put("grants", consent.handle, { ...kept, receipts: [granted.receipt] });

  report(3, 4);
  const message = { vp_token: { [asked.type.id]: [text] }, state: payload.state, ...(acting && { mandate: acting.text }) };
  const response = await lock(message, { encryption, oneTimeKey, consent });
  const done = await getJson(responseUri, { form: { response, state: payload.state } });
  report(4, 4);
  return { handle: consent.handle, secret, redirect: sameSite(done.redirect_uri, responseUri) };
}

/** Tells the asker that the citizen declined (§8.5), and nothing else. */
export async function decline({ payload, responseUri }) {
  try {
    await call(responseUri, { form: { error: "access_denied", state: payload.state } });
  } catch (error) {
    // The citizen's no stands whether or not the counter hears it.
    if (!(error instanceof WalletError)) throw error;
  }
}

async function asker(jws, header, { clientId, claimed, trust, number }) {
  demand(Array.isArray(header.x5c) && header.x5c.length > 0, "request-malformed");
  let leaf;
  let jwk;
  try {
    leaf = fromBase64(header.x5c[0]);
    const pem = `-----BEGIN CERTIFICATE-----\n${header.x5c[0]}\n-----END CERTIFICATE-----`;
    jwk = await exportJWK(await importX509(pem, "ES256", { extractable: true }));
  } catch (cause) {
    throw new WalletError("request-malformed", { cause });
  }
  demand(clientId === claimed && clientId === `x509_hash:${b64url(await sha256(leaf))}`, "request-client-wrong");
  await verify(jws, jwk, { typ: ["oauth-authz-req+jwt"], code: "request-signature" });
  return trust.agencyByRequestKey(jwk, number);
}

/** The agency the terms name, if they can be read at all: only where to look; the terms are judged later. */
function agencyNamed(payload) {
  try {
    return readTerms(payload).terms.agency?.number;
  } catch (error) {
    if (error instanceof WalletError) return undefined;
    throw error;
  }
}

function readTerms({ transaction_data, exp }) {
  demand(Array.isArray(transaction_data) && transaction_data.length === 1, "request-without-terms");
  const [entry] = transaction_data;
  let terms;
  try {
    terms = JSON.parse(fromUtf8(fromB64url(entry)));
  } catch (cause) {
    throw new WalletError("request-terms-wrong", { cause });
  }
  // §8.4: transaction data of a type the wallet does not know is refused.
  demand(terms?.type === CONSENT_TYPE && terms.expires === exp, "request-terms-wrong");
  demand((terms.transaction_data_hashes_alg ?? ["sha-256"]).includes("sha-256"), "request-terms-wrong");
  return { entry, terms };
}

/** The fields a DCQL query asks for, each once; null when it asks for anything but fields of the matter's one type. */
function namesAsked(query, terms, { type }) {
  const [wanted, ...others] = query?.credentials ?? [];
  if (!wanted || others.length > 0 || query.credential_sets) return null;
  if (wanted.id !== type.id || wanted.format !== "dc+sd-jwt" || wanted.multiple) return null;
  if (String(wanted.meta?.vct_values) !== type.vct || String(terms.credential_ids) !== type.id) return null;
  if (!Array.isArray(wanted.claims) || wanted.claims.length === 0) return null;
  const names = wanted.claims.map(({ path }) => (Array.isArray(path) && path.length === 1 ? path[0] : null));
  return new Set(names).size === names.length ? names : null;
}

const isOptional = ({ type, optional }, name) => fieldsOf(type.fields, optional).some((field) => field.id === name);

function encryptionKey(metadata) {
  const usable = ({ kty, crv, use, alg }) => kty === "EC" && crv === "P-256" && (use ?? "enc") === "enc" && alg === "ECDH-ES";
  const key = metadata?.jwks?.keys?.find(usable);
  demand(key && (metadata.encrypted_response_enc_values_supported ?? ["A128GCM"]).includes("A256GCM"), "request-malformed");
  return key;
}

/** `forget` runs when the home agency said no; silence or a fault may yet turn out to have been a yes. */
async function recorded(home, body, forget) {
  try {
    return await home.grant(body);
  } catch (error) {
    if (error.params?.status >= 400 && error.params.status < 500) await forget();
    throw error;
  }
}

async function checkGrant(text, { trust, home, handle, matter, consent }) {
  const { name, agency, values } = await trust.receipt(text);
  const { number, version } = matter.document;
  const same =
    name === "grant" &&
    agency === home.number &&
    equal(values.handle, handle) &&
    values.matter === number &&
    values.version === version &&
    String(values.masks) === String(consent.masks) &&
    values.not_after === consent.not_after &&
    values.uses === consent.uses;
  demand(same, "grant-receipt-wrong");
}

/** Inner lock: the asker's key. Outer lock: the one-time key, which only the home agency has besides us. */
async function lock(message, { encryption, oneTimeKey, consent }) {
  const { kty, crv, x, y, kid } = encryption;
  const asker = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, { name: "ECDH", namedCurve: "P-256" }, false, []);
  const inner = await new CompactEncrypt(utf8(JSON.stringify(message)))
    .setProtectedHeader({ alg: "ECDH-ES", enc: "A256GCM", ...(kid && { kid }) })
    .encrypt(asker);
  return new CompactEncrypt(utf8(inner))
    .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid: consent.handle, iss: consent.recorder })
    .encrypt(oneTimeKey);
}

/** Where to go back to in the same browser: only to the site the answer went to. */
function sameSite(redirect, responseUri) {
  if (!redirect || !URL.canParse(redirect)) return null;
  return new URL(redirect).origin === new URL(responseUri).origin ? redirect : null;
}
