// Who the agencies are now: enrolled, rotated, accredited, suspended since this phone pinned the ledger's first entry.
//
// Nothing here is taken from a server's word: each answer is a proof of the ledger's state under a checkpoint that the
// pinned key signed and that extends the last one this phone has seen (statemap.js, trust.js). A decision is made on a
// proof fetched for it; what was proven earlier is only good for names.
//
//   a agency               [key number, ledger key, issue key, request key, profile digest, [type… (0: home)],
//                           index of suspension (0: none), powers, index]
//   K agency key number    [ledger key, issue key, request key, from, until (0: in use), void from (0: not revoked)]
//   c                      [[agency…], [suspended agency…]]

import { concat, equal, hex, utf8 } from "./bytes.js";
import { WalletError, demand } from "./errors.js";
import { getText } from "./http.js";
import { compress, toJwk } from "./p256.js";

const TRIES = 4;
const PAUSE_MS = 400;

const twoBytes = (number) => Uint8Array.of(number >> 8, number & 255);
export const isAgencyNumber = (value) => Number.isSafeInteger(value) && value > 0 && value < 65536;

export const agencyKey = (number) => concat(utf8("a"), twoBytes(number));
export const keyKey = (number, keyNo) => concat(utf8("K"), twoBytes(number), twoBytes(keyNo));
const CONSORTIUM = utf8("c");

export class Agencies {
  #trust;
  #base;

  constructor(trust, base) {
    this.#trust = trust;
    this.#base = base;
  }

  /** What the ledger says of an agency now: {number, keyNo, issue, request, profile, types, suspended}; null if nothing. */
  async now(number) {
    demand(isAgencyNumber(number), "agency-unknown-to-ledger");
    const value = await this.#state(agencyKey(number));
    if (value === null) return null;
    const [keyNo, , issue, request, profile, types, suspension] = value;
    return { number, keyNo, issue, request, profile: hex(profile), types: types.filter((type) => type !== 0), suspended: suspension !== 0 };
  }

  /** Numbers of every agency there is, suspended ones too. */
  async numbers() {
    const [active, suspended] = (await this.#state(CONSORTIUM)) ?? [[], []];
    return [...active, ...suspended].sort((a, b) => a - b);
  }

  /**
   * The keys a certificate may be signed by (JWK), as of now: the one in force, and the one before it unless it was
   * revoked: the issuer may have signed just before its keys were rotated, and it answers for that by the anchor.
   */
  async issueKeys({ number, keyNo, issue }) {
    const keys = [toJwk(issue)];
    const before = keyNo > 1 ? await this.#state(keyKey(number, keyNo - 1)) : null;
    if (before && before[5] === 0) keys.push(toJwk(before[1]));
    return keys;
  }

  /** The agency among `numbers` whose request key this is, as of now; null if none. */
  async byRequestKey(jwk, numbers) {
    const key = compress(jwk);
    for (const number of numbers) {
      const agency = await this.now(number);
      if (agency && equal(agency.request, key)) return agency;
    }
    return null;
  }

  /** A key's value under a settled checkpoint at least as new as the newest this phone has seen. */
  async #state(key) {
    const name = hex(key);
    const seen = this.#trust.size;
    let settled = true;
    for (let left = TRIES; left > 0; left--) {
      const proven = await this.#trust.stateProof(await getText(`${this.#base}/ledger/state/${name}`));
      demand(equal(proven.key, key), "server-answer-malformed");
      settled = this.#trust.settled(proven.checkpoint);
      if (proven.size >= seen && settled) return proven.value;
      // A node a block behind the one this phone heard from last, or a quorum a moment behind the node; neither an old
      // state nor one node's word must decide anything.
      if (left > 1) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    throw new WalletError(settled ? "ledger-behind-seen" : "quorum-pending");
  }
}
