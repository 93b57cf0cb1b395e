// Acting for others (docs/decisions/0073): the mandates this person gave, and those on this phone to act by.

import { b64url } from "./bytes.js";
import { getJson } from "./http.js";
import { sign } from "./jws.js";
import { randomText, thumbprintOf } from "./keys.js";
import { bind, parse, select } from "./sdjwt.js";

const TYP = "govchain-mandate+jwt";

/** The certificates here by which their holder may do `matter` for somebody else, now. */
export function usableMandates(held, matter, now) {
  const admitted = matter.document.representation ?? [];
  return held.filter(
    ({ type, matters, expires }) =>
      admitted.includes(type.representation) &&
      Array.isArray(matters) &&
      (matters.length === 0 || matters.includes(matter.document.number)) &&
      (!expires || expires > now),
  );
}

export const principalOf = ({ claims }) => claims.principal_name;

/** The whole mandate, bound to this request: what the asker gets beside the certificate, and what the home agency needs. */
export async function beside(mandate, { aud, nonce, at, store }) {
  const held = await parse(mandate.text);
  const pair = await store.get("keys", mandate.id);
  const names = held.disclosures.map(({ name }) => name);
  const { text, keyBinding } = await bind(select(held, names), { iat: at, aud, nonce }, pair.privateKey);
  return {
    text,
    commitment: b64url(mandate.commitment),
    body: { issuer_jwt: held.jwt, kb_jwt: keyBinding, holder_salt: mandate.holderSalt },
  };
}

/** What a principal signs: agent {name, number}, numbers of matters, the last day. */
export async function statement({ store, home, now, agent, matters, until }) {
  const pair = await store.get("keys", "device");
  const { agencies } = await getJson(`${home.wallet.base}/directory.json`);
  const aud = agencies.find(({ number }) => number === home.number).did;
  return sign({ typ: TYP }, { iss: await thumbprintOf(pair), aud, iat: now, jti: randomText(), agent, matters, until }, pair.privateKey);
}

/** The matters in which somebody may be sent: [{number, name}]. */
export const admitting = async (base) => (await getJson(`${base}/matters/representable.json`)).matters;

/** Grants made under mandates this person gave, to be looked at like their own: [{handle, agent}]. */
export const usesOf = (mandates) => mandates.flatMap(({ agent, uses }) => uses.map(({ handle }) => ({ handle, agent: agent.name })));
