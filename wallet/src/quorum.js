// Quorum certificates: more than two thirds of the validators' power behind a checkpoint, as one line of its note.
//
// A share signs `govchain/quorum/v1\n` ‖ the set's digest ‖ size (8 bytes) ‖ SHA-256 of the checkpoint's text, with BLS12-381
// (BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_: keys in G1, signatures in G2). The line, under `<origin>/quorum`, holds
//
//   key id (4) ‖ set digest (32) ‖ aggregate (96) ‖ bitmap (validator i is bit i mod 8, from the lowest, of byte i / 8)
//
// A checkpoint is certified by the set that the checkpoint before it named; so a new set is named under a certificate of the
// old one, and who pinned the first set follows the others. `Followed.certify` checks, in this order:
//   1. a line under `<origin>/quorum` is of a set that is followed (lines of other sets are ignored);
//   2. its blob has the form above: the whole digest, a bit at least, none beyond the set;
//   3. the signers' power is more than two thirds;
//   4. the checkpoint's origin is this one, and its size lies in the set's term;
//   5. the checkpoint names this set, or at the end of the term its successor;
//   6. the aggregate verifies. (Possession of the keys was proven to the ledger.)

import { sha256 } from "@noble/hashes/sha2.js";

import { concat, equal, hex, utf8 } from "./bytes.js";
import { decode, encode } from "./cbor.js";
import { ReceiptError, digest, readCheckpoint, splitNote, strictBase64 } from "./note.js";

const SET = utf8("govchain/validators/v1\n");
const STATEMENT = utf8("govchain/quorum/v1\n");
const TYPE = concat(Uint8Array.of(0xff), utf8("govchain/quorum-bls12381/v1"));
const LABEL = "validators ";
const MOST = 128;
const AGGREGATE = 36 + 96;

/** The digest a checkpoint names its validator set by; null when it names none. */
export function namedSet({ extensions }) {
  const lines = extensions.filter((line) => line.startsWith(LABEL));
  if (lines.length > 1) throw new ReceiptError("checkpoint-malformed");
  return lines.length === 1 ? digest(lines[0].slice(LABEL.length), "checkpoint-malformed") : null;
}

/** The encoding of a set from genesis's rows [agency, consensus key, BLS key, proof, power]. */
export const foundingSet = (rows) => encode(rows.map(([agency, consensus, key, , power]) => [agency, consensus, key, power]));

/** A set's canonical encoding → {digest, validators: [{agency, key, power}], total, encoding}; throws `ReceiptError`. */
export function parseSet(encoding) {
  const rows = decoded(encoding);
  const fits = Array.isArray(rows) && rows.length > 0 && rows.length <= MOST && rows.every(isValidator);
  const keys = fits ? rows.flatMap(([, consensus, key]) => [hex(consensus), hex(key)]) : [];
  if (!fits || rows.some((row, i) => i > 0 && rows[i - 1][0] >= row[0]) || new Set(keys).size !== keys.length) {
    throw new ReceiptError("validators-malformed");
  }
  const validators = rows.map(([agency, , key, power]) => ({ agency, key, power }));
  const total = validators.reduce((sum, { power }) => sum + power, 0);
  return { digest: sha256(concat(SET, encoding)), validators, total, encoding };
}

/** `<origin>/quorum+<key id>+<base64 of type ‖ digest of the first set>` → {origin, digest}; throws `ReceiptError`. */
export function parseQuorumVkey(vkey) {
  const match = /^([^+\s]+)\/quorum\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(String(vkey).trim());
  if (!match) throw new ReceiptError("vkey-malformed");
  const [, origin, id, encoded] = match;
  const key = strictBase64(encoded, "vkey-malformed");
  const named = key.slice(TYPE.length);
  if (key.length !== TYPE.length + 32 || !equal(key.slice(0, TYPE.length), TYPE) || hex(keyId(origin, named)) !== id) {
    throw new ReceiptError("vkey-malformed");
  }
  return { origin, digest: named };
}

/** The validator sets of one ledger as this phone knows them, each named under a certificate of the one before. */
export class Followed {
  #terms;

  #verifies;

  /**
   * `first` and each link's `set` are encodings; a link is {set, checkpoint}. `verifies(keys, message, signature)` is
   * `fastAggregateVerify` of `bls.js`. Throws `ReceiptError`.
   */
  constructor(origin, first, links, verifies) {
    this.origin = origin;
    this.#verifies = verifies;
    this.#terms = [{ set: parseSet(first), after: 0, until: Infinity, successor: null }];
    for (const link of links) this.follow(link);
  }

  /** From a quorum vkey and what any node answers at /ledger/validators: {sets: [{set, checkpoint}]}, base64 sets. */
  static pinned(vkey, { sets }, verifies) {
    const pin = parseQuorumVkey(vkey);
    if (!Array.isArray(sets) || sets.length === 0) throw new ReceiptError("validators-malformed");
    const [first, ...links] = sets.map(({ set, checkpoint }) => ({ set: strictBase64(set, "validators-malformed"), checkpoint }));
    if (!equal(parseSet(first.set).digest, pin.digest)) throw new ReceiptError("validators-foreign");
    return new Followed(pin.origin, first.set, links, verifies);
  }

  get latest() {
    return this.#terms.at(-1).set;
  }

  knows(named) {
    return this.#terms.some(({ set }) => equal(set.digest, named));
  }

  /** Takes the next set; throws unless the latest one certifies the checkpoint that names it. */
  follow({ set: encoding, checkpoint: text }) {
    const successor = parseSet(encoding);
    const checkpoint = this.certify(text);
    const last = this.#terms.at(-1);
    const named = checkpoint && namedSet(checkpoint);
    const holds = named && equal(named, successor.digest) && !equal(successor.digest, last.set.digest) && checkpoint.size > last.after;
    if (!holds) throw new ReceiptError("validators-foreign");
    last.until = checkpoint.size;
    last.successor = successor.digest;
    this.#terms.push({ set: successor, after: checkpoint.size, until: Infinity, successor: null });
  }

  /** The checkpoint if a followed set certifies it, null if none does; throws `ReceiptError` for a false certificate. */
  certify(text) {
    const { body, signatures } = splitNote(text);
    const name = `${this.origin}/quorum`;
    for (const term of [...this.#terms].reverse()) {
      const wanted = keyId(this.origin, term.set.digest);
      const line = signatures.find((each) => each.name === name && equal(each.blob.slice(0, 4), wanted));
      if (line) return this.#certified(body, line.blob, term, text);
    }
    return null;
  }

  #certified(body, blob, { set, after, until, successor }, text) {
    const signers = signersOf(blob, set);
    const checkpoint = readCheckpoint(body, text);
    if (checkpoint.origin !== this.origin) throw new ReceiptError("checkpoint-foreign", "another log's checkpoint");
    const { size } = checkpoint;
    if (size <= after || size > until) throw new ReceiptError("certificate-wrong", "outside the set's term");
    const named = namedSet(checkpoint);
    const due = size === until ? successor : set.digest;
    if (!named || (until !== Infinity && !equal(named, due))) throw new ReceiptError("certificate-wrong", "another set is named");
    const power = signers.reduce((sum, { power: each }) => sum + each, 0);
    if (3 * power <= 2 * set.total) throw new ReceiptError("quorum-not-reached");
    const message = concat(STATEMENT, set.digest, eightBytes(size), sha256(utf8(body)));
    if (!this.#verifies(signers.map(({ key }) => key), message, blob.slice(36, AGGREGATE))) throw new ReceiptError("certificate-wrong");
    return { ...checkpoint, certified: true };
  }
}

/** What `verifyReceipt` and the others take in place of a vkey: the quorum's certificate if there is one, else `vkey`'s signature. */
export const pinOf = (vkey, followed, parse) => ({
  open: (text) => followed?.certify(text) ?? parse(text, vkey),
});

function signersOf(blob, { digest: own, validators }) {
  const bitmap = blob.slice(AGGREGATE);
  const form = blob.length > AGGREGATE && equal(blob.slice(4, 36), own) && bitmap.length === Math.ceil(validators.length / 8);
  const set = (i) => form && (bitmap[i >> 3] >> (i & 7)) & 1;
  const beyond = Array.from({ length: bitmap.length * 8 - validators.length }, (_, i) => set(validators.length + i)).some(Boolean);
  const signers = validators.filter((_, i) => set(i));
  if (!form || beyond || signers.length === 0) throw new ReceiptError("certificate-malformed");
  return signers;
}

function keyId(origin, named) {
  return sha256(concat(utf8(`${origin}/quorum\n`), TYPE, named)).slice(0, 4);
}

function isValidator(row) {
  if (!Array.isArray(row) || row.length !== 4) return false;
  const [agency, consensus, key, power] = row;
  const counts = [agency, power].every((each) => Number.isSafeInteger(each) && each > 0 && each < 2 ** 16);
  return counts && consensus instanceof Uint8Array && consensus.length === 32 && key instanceof Uint8Array && key.length === 48;
}

function decoded(encoding) {
  try {
    return decode(encoding);
  } catch (error) {
    throw new ReceiptError("validators-malformed", error.message);
  }
}

function eightBytes(size) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(size));
  return bytes;
}
