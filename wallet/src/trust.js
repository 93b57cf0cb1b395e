// Whom this phone believes, and why.
//
// At activation it pins the ledger's verifier key and the first entry (genesis), which lists the founding agencies.
// From then on:
//   - every checkpoint must be signed by the pinned key, or certified by a quorum of the ledger's validators, and extend the
//     last one seen (or be extended by it). Genesis names the first validators; the phone follows their changes, each
//     certified by those before. With validators, only what a quorum certifies is settled (`settled`);
//   - every receipt is verified here, its checkpoint tied to the last one by a consistency proof;
//   - who an agency is, its keys, what it may issue, whether it is suspended: a proof of the ledger's state, fetched for
//     each decision (agencies.js), so that votes since the activation count here too;
//   - names, types and matters are documents whose SHA-256 stands in a verified record or state.
// A checkpoint that is signed but contradicts what was seen is kept and shown for ever: it proves a split view.

import { Agencies, isAgencyNumber } from "./agencies.js";
import { equal, fromBase64, fromUtf8, hex, utf8 } from "./bytes.js";
import { WalletError, demand } from "./errors.js";
import { getJson, getText } from "./http.js";
import { sha256 } from "./keys.js";
import { readCheckpoint, splitNote } from "./note.js";
import { Followed, foundingSet, namedSet, parseSet, pinOf } from "./quorum.js";
import { ReceiptError, openCheckpoint, parseCheckpoint, parseVkey, verifyConsistency, verifyReceipt } from "./receipt.js";
import { verifyStateProof } from "./statemap.js";

export class Trust {
  #store;
  #base;
  #state;
  /** Checkpoints whose signature was verified since start, by text; and those found consistent, as "size root state". */
  #seen = new Map();
  #agreed = new Set();
  #agencies;

  /** The validator sets followed; null when the ledger has none. */
  #followed = null;
  #loadBls;

  constructor(store, base, state, loadBls) {
    this.#store = store;
    this.#base = base;
    this.#state = state;
    this.#agencies = new Agencies(this, base);
    this.#loadBls = loadBls;
  }

  static async open(store, base = location.origin, loadBls = fetchBls) {
    const trust = new Trust(store, base, await store.get("state", "trust"), loadBls);
    await trust.#resume();
    return trust;
  }

  get pinned() {
    return Boolean(this.#state);
  }

  /** {vkey, ledgerId, checkpoint, checkedAt, alarm} — what settings show. */
  get state() {
    return this.#state;
  }

  /** Pins `vkey` and the genesis it signs for; done once, when the wallet is activated. */
  async pin(vkey) {
    const text = await getText(`${this.#base}/ledger/genesis`);
    const genesis = genuine(() => verifyReceipt(text, vkey));
    const { agencies, checkpoint_key, validators = null } = genesis.values;
    // With validators, the key is the home agency's node's: genesis names theirs, whose certificates count.
    const whose = validators || equal(checkpoint_key, parseVkey(vkey).publicKey);
    demand(genesis.index === 0 && genesis.kind === 1 && whose, "genesis-wrong");
    this.#state = {
      vkey,
      origin: genesis.checkpoint.origin,
      sets: validators ? [{ set: genuine(() => foundingSet(validators)), checkpoint: null }] : [],
      ledgerId: hex(await sha256(genesis.entry)),
      genesis: text,
      agencies: agencies.map(([number, , , , , profile]) => ({ number, profile: hex(profile) })),
      checkpoint: genesis.checkpoint.text,
      checkedAt: seconds(),
      alarm: null,
    };
    await this.#resume();
    await this.#save();
    await Promise.all(this.#state.agencies.map(({ number }) => this.agency(number)));
  }

  /** Fetches the newest checkpoint and ties it to the last one. → the checkpoint. */
  async advance() {
    const text = (this.#followed && (await this.#certified())) ?? (await getText(`${this.#base}/ledger/checkpoint`));
    await this.#follow(text);
    return this.#agree(text);
  }

  /** Verifies a receipt here, its log included; throws `WalletError` when it is forged or contradicts what was seen. */
  async receipt(text) {
    demand(this.#state, "not-activated");
    await this.#follow(text);
    const receipt = this.receiptOffline(text);
    await this.#agree(receipt.checkpoint.text);
    return receipt;
  }

  /** Verifies a kept receipt without the network: signature and inclusion, no newer checkpoint. */
  receiptOffline(text) {
    demand(this.#state, "not-activated");
    return genuine(() => verifyReceipt(text, this.#pin, this.#seen));
  }

  /** Verifies a proof of the ledger's state here, its log included, as `receipt` does. */
  async stateProof(text) {
    demand(this.#state, "not-activated");
    await this.#follow(text);
    const proven = genuine(() => verifyStateProof(text, this.#pin, this.#seen));
    await this.#agree(proven.checkpoint.text);
    return proven;
  }

  /** Whether what stands under a verified checkpoint is settled: a quorum certifies it, or the ledger has no validators. */
  settled(checkpoint) {
    return checkpoint.certified || (!this.#followed && !genuine(() => namedSet(checkpoint)));
  }

  /** Entries under the newest checkpoint seen. */
  get size() {
    return this.#checkpoint(this.#state.checkpoint).size;
  }

  /** A registered document by its digest (hex); what does not hash to it is not shown. */
  async document(digest) {
    const kept = await this.#store.get("documents", digest);
    if (kept) return kept;
    const text = await getText(`${this.#base}/ledger/documents/${digest}`);
    demand(hex(await sha256(utf8(text))) === digest, "document-wrong");
    const value = JSON.parse(text);
    await this.#store.put("documents", digest, value);
    return value;
  }

  /** {number, slug, name: {zh, en}} of an agency, for showing; once proven, known without the network. */
  async agency(number) {
    const known = this.#state.agencies.find((agency) => agency.number === number);
    return known ? this.#named(known) : this.#named(await this.#enrolled(number));
  }

  /** The agency with this short name, as `current` has it. */
  async agencyBySlug(slug) {
    const known = this.#state.agencies.map(({ number }) => number);
    const found = (await this.#called(slug, known)) ?? (await this.#called(slug, await this.#agencies.numbers()));
    demand(found, "agency-unknown-to-ledger");
    return this.current(found);
  }

  /** The agency as the ledger has it now: {number, slug, name, types, keyNo, issue}; refused when it is suspended. */
  async current(number) {
    return this.#inGoodStanding(await this.#enrolled(number));
  }

  /** The agency whose request key this is now; `claimed` is the number to look at first. */
  async agencyByRequestKey(jwk, claimed) {
    const look = (numbers) => this.#agencies.byRequestKey(jwk, numbers);
    const agency = (isAgencyNumber(claimed) && (await look([claimed]))) || (await look(await this.#agencies.numbers()));
    demand(agency, "asker-not-on-ledger");
    await this.#remember(agency);
    return this.#inGoodStanding(agency);
  }

  /** The keys a certificate of the agency may be signed by, the one in force first (JWK). */
  issueKeys(agency) {
    return this.#agencies.issueKeys(agency);
  }

  async #inGoodStanding(agency) {
    demand(!agency.suspended, "agency-suspended");
    return { ...agency, ...(await this.#named(agency)) };
  }

  async #enrolled(number) {
    const agency = await this.#agencies.now(number);
    demand(agency, "agency-unknown-to-ledger");
    await this.#remember(agency);
    return agency;
  }

  async #called(slug, numbers) {
    for (const number of numbers) if ((await this.agency(number)).slug === slug) return number;
    return null;
  }

  async #named({ number, profile: digest }) {
    const profile = await this.document(digest);
    demand(profile.kind === "agency" && profile.number === number, "document-wrong");
    return { number, slug: profile.slug, name: profile.name };
  }

  async #remember({ number, profile }) {
    const others = this.#state.agencies.filter((agency) => agency.number !== number);
    if (this.#state.agencies.length > others.length) return; // An agency's profile stays what it was enrolled with.
    this.#state = { ...this.#state, agencies: [...others, { number, profile }] };
    await this.#save();
  }

  /** The registered type document, its registration verified: {…document, registrar}. `version` 0: the newest. */
  async type(number, version = 0) {
    return this.#remembered(`type ${number} ${version}`, async () => {
      const records = await this.#receipts(`types/${number}`);
      const mine = records.filter(({ name, values }) => name === "type" && values.type === number);
      const record = version ? mine.find(({ values }) => values.version === version) : newest(mine);
      demand(record, "type-not-on-ledger");
      const document = await this.document(hex(record.values.digest));
      const matches = document.kind === "type" && document.number === number && document.version === record.values.version;
      demand(matches && document.fields.length === record.values.grades.length, "document-wrong");
      return { ...document, registrar: record.agency };
    });
  }

  /**
   * The registered matter a request may be built from: {document, record, types, inForce}. Its masks are the ledger's,
   * held against the document's words; `inForce` when the issuer of every type has approved.
   */
  async matter(number, version) {
    return this.#remembered(`matter ${number} ${version}`, async () => {
      const records = await this.#receipts(`matters/${number}`);
      const of = (name) => ({ name: found, values }) => found === name && values.matter === number && values.version === version;
      const record = records.find(of("matter"));
      demand(record, "matter-not-on-ledger");
      const document = await this.document(hex(record.values.digest));
      demand(document.kind === "matter" && document.number === number && document.version === version, "document-wrong");
      demand(document.agency === record.agency && document.types.length === record.values.types.length, "document-wrong");
      const types = await Promise.all(record.values.types.map((row, i) => this.#asked(row, document.types[i])));
      const approvals = records.filter(of("matter-approve"));
      const inForce = types.every((asked) =>
        approvals.some(({ agency, values }) => values.type === asked.type.number && agency === asked.type.registrar),
      );
      return { document, record, types, inForce, digest: hex(record.values.digest) };
    });
  }

  async #asked([number, version, required, optional], words) {
    const type = await this.type(number, version);
    const masks = [words.required, words.optional].map((names) => maskOf(type.fields, names));
    demand(words.type === number && words.version === version && masks[0] === required && masks[1] === optional, "document-wrong");
    return { type, required, optional };
  }

  async #receipts(path) {
    const { receipts } = await getJson(`${this.#base}/ledger/${path}`);
    demand(Array.isArray(receipts), "server-answer-malformed");
    const verified = [];
    // One after the other: the first ties the checkpoint, the others find it agreed.
    for (const text of receipts) verified.push(await this.receipt(text));
    return verified;
  }

  async #remembered(key, load) {
    const known = this.memory.get(key);
    if (known) return known;
    const value = await load();
    this.memory.set(key, value);
    return value;
  }

  memory = new Map();

  #checkpoint(text) {
    const known = this.#seen.get(text) ?? genuine(() => openCheckpoint(text, this.#pin));
    this.#seen.set(text, known);
    return known;
  }

  get #pin() {
    return this.#followed ? pinOf(this.#state.vkey, this.#followed, parseCheckpoint) : this.#state.vkey;
  }

  /** The sets known before this start. */
  async #resume() {
    const [first, ...links] = this.#state?.sets ?? [];
    if (!first) return;
    const { fastAggregateVerify } = await this.#loadBls();
    this.#followed = genuine(() => new Followed(this.#state.origin, first.set, links, fastAggregateVerify));
  }

  /** The newest checkpoint that a quorum certifies, unverified; null when there is none yet. */
  async #certified() {
    try {
      return await getText(`${this.#base}/ledger/certified`);
    } catch (error) {
      if (!(error instanceof WalletError) || error.code !== "not-found") throw error;
      return null;
    }
  }

  /** Takes the validator sets up to the one that a note's checkpoint names; nothing of the note is verified yet. */
  async #follow(text) {
    const named = claimedSet(text);
    if (!named || this.#followed?.knows(named)) return;
    const since = this.#followed ? `?since=${hex(this.#followed.latest.digest)}` : "";
    const { sets } = await getJson(`${this.#base}/ledger/validators${since}`);
    demand(Array.isArray(sets), "server-answer-malformed");
    const links = sets.map(({ set, checkpoint }) => ({ set: fromBase64(set), checkpoint }));
    if (this.#followed) {
      for (const link of links) genuine(() => this.#followed.follow(link));
      this.#state = { ...this.#state, sets: [...this.#state.sets, ...links] };
    } else {
      // A ledger founded without validators has some now: the first set is the one that the pinned key's checkpoint names.
      const checkpoint = genuine(() => parseCheckpoint(noteOf(text), this.#state.vkey));
      const first = links.find(({ set }) => equal(genuine(() => parseSet(set)).digest, genuine(() => namedSet(checkpoint))));
      demand(first, "server-answer-malformed");
      this.#state = { ...this.#state, origin: checkpoint.origin, sets: [{ set: first.set, checkpoint: null }] };
      await this.#resume();
    }
    await this.#save();
  }

  async #agree(text) {
    demand(this.#state, "not-activated");
    const next = this.#checkpoint(text);
    const name = [next.size, hex(next.root), covered(next)].join(" ");
    if (this.#agreed.has(name)) return next;
    const last = this.#checkpoint(this.#state.checkpoint);
    const [older, newer] = next.size < last.size ? [next, last] : [last, next];
    await this.#consistent(older, newer);
    this.#agreed.add(name);
    if (next.size >= this.#checkpoint(this.#state.checkpoint).size) {
      this.#state = { ...this.#state, checkpoint: next.text, checkedAt: seconds() };
      await this.#save();
    }
    return next;
  }

  async #consistent(older, newer) {
    const same = older.size === newer.size;
    const path = `${this.#base}/ledger/consistency?from=${older.size}&to=${newer.size}`;
    const { proof } = same ? { proof: [] } : await getJson(path);
    demand(Array.isArray(proof), "server-answer-malformed");
    try {
      verifyConsistency(older, newer, proof);
      if (same && covered(older) !== covered(newer)) throw new ReceiptError("consistency-wrong", "two states of one log");
    } catch (cause) {
      if (same) {
        // Two signed checkpoints of one size that differ: evidence, kept for whoever will ask.
        this.#state = { ...this.#state, alarm: { at: seconds(), older: older.text, newer: newer.text } };
        await this.#save();
      }
      throw new WalletError("ledger-contradiction", { cause });
    }
  }

  #save() {
    return this.#store.put("state", "trust", this.#state);
  }
}

export const maskOf = (fields, names) =>
  names.reduce((mask, name) => {
    const bit = fields.findIndex((field) => field.id === name);
    demand(bit >= 0, "document-wrong");
    return mask + 2 ** bit;
  }, 0);

/** The fields whose bits are set, in registered order. */
export const fieldsOf = (fields, mask) => fields.filter((_, bit) => Math.floor(mask / 2 ** bit) % 2 === 1);

const fetchBls = () => import(new URL("/static/wallet/bls.js", location.origin).href);

/** The note at the end of a receipt or a state proof, or the text itself when it is a checkpoint. */
const noteOf = (text) => (/^(c2sp\.org|govchain)\//.test(text) ? text.slice(text.indexOf("\n\n") + 2) : text);

/** The digest of the validator set that a text's checkpoint claims to name; null when it has no form or names none. */
function claimedSet(text) {
  try {
    const note = noteOf(text);
    return namedSet(readCheckpoint(splitNote(note).body, note));
  } catch (error) {
    if (error instanceof ReceiptError) return null;
    throw error;
  }
}

/** What a checkpoint covers besides the log: the state's root, the validators. */
const covered = ({ extensions }) => extensions.join("\n");
const newest = (records) => records.reduce((best, record) => (best && best.values.version > record.values.version ? best : record), null);
const seconds = () => Math.floor(Date.now() / 1000);

function genuine(verify) {
  try {
    return verify();
  } catch (cause) {
    if (cause instanceof ReceiptError) throw new WalletError(`receipt-${cause.code}`, { cause });
    throw cause;
  }
}
