// A small log of the tests' own: entries in, receipts and consistency proofs out (RFC 9162 §2.1, recursive form).
// The wallet verifies with the iterative algorithms, so the two do not share a mistake.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { base64, concat, hex, utf8 } from "../src/bytes.js";
import { EMPTY_ROOT, leafHash, nodeHash } from "../src/merkle.js";
import { stateLine } from "./map.mjs";

export class Log {
  constructor(origin = "ledger.test.example", seed = new Uint8Array(32).fill(7)) {
    this.origin = origin;
    this.secret = seed;
    this.entries = [];
    /** Votes that changed the state: {at: index of the entry, key, value}. */
    this.votes = [];
    this.publicKey = ed25519.getPublicKey(seed);
    const key = concat(Uint8Array.of(1), this.publicKey);
    this.keyId = sha256(concat(utf8(`${origin}\n`), key)).slice(0, 4);
    this.vkey = `${origin}+${hex(this.keyId)}+${base64(key)}`;
  }

  /** With validators: the checkpoint's line that names them, and what puts their certificate under a note. */
  named = "";
  certify = (note) => note;

  append(entry) {
    return this.entries.push(entry) - 1;
  }

  checkpoint(size = this.entries.length, extensions = stateLine(this.entries.slice(0, size), this.votes) + this.named) {
    const body = `${this.origin}\n${size}\n${base64(root(this.entries.slice(0, size)))}\n${extensions}`;
    const signature = ed25519.sign(utf8(body), this.secret);
    return this.certify(`${body}\n\u2014 ${this.origin} ${base64(concat(this.keyId, signature))}\n`);
  }

  receipt(index, size = this.entries.length) {
    const path = inclusion(index, this.entries.slice(0, size)).map((hash) => `${base64(hash)}\n`);
    const entry = base64(this.entries[index]);
    return `c2sp.org/tlog-proof@v1\nextra ${entry}\nindex ${index}\n${path.join("")}\n${this.checkpoint(size)}`;
  }

  consistency(from, to = this.entries.length) {
    return from === 0 || from === to ? [] : subproof(from, this.entries.slice(0, to), true);
  }
}

export function root(entries) {
  if (entries.length === 0) return EMPTY_ROOT;
  if (entries.length === 1) return leafHash(entries[0]);
  const k = split(entries.length);
  return nodeHash(root(entries.slice(0, k)), root(entries.slice(k)));
}

export function inclusion(index, entries) {
  if (entries.length <= 1) return [];
  const k = split(entries.length);
  return index < k
    ? [...inclusion(index, entries.slice(0, k)), root(entries.slice(k))]
    : [...inclusion(index - k, entries.slice(k)), root(entries.slice(0, k))];
}

function subproof(m, entries, whole) {
  if (m === entries.length) return whole ? [] : [root(entries)];
  const k = split(entries.length);
  return m <= k
    ? [...subproof(m, entries.slice(0, k), whole), root(entries.slice(k))]
    : [...subproof(m - k, entries.slice(k), false), root(entries.slice(0, k))];
}

function split(n) {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
