// A small state map of the tests' own, of grants alone and never more than one bucket holds.

import { sha256 } from "@noble/hashes/sha2.js";

import { base64, concat, hex } from "../src/bytes.js";
import { decode, encode } from "../src/cbor.js";
import { grantKey } from "../src/statemap.js";

const join = (...parts) => sha256(concat(...parts));
const [VALUE, BUCKET] = [Uint8Array.of(0x10), Uint8Array.of(0x11)];

/** An entry some test spoilt on purpose makes no state. */
function readable(entry) {
  try {
    return decode(entry);
  } catch {
    return [0, 0, []];
  }
}

/** Handle in hex → state value, as the log's entries make it. */
function grants(entries) {
  const values = new Map();
  entries.forEach((entry, index) => {
    const [, agency, [kind, about, ...rest]] = readable(entry);
    if (kind === 30) {
      const [matter, version, masks, notAfter, uses] = rest;
      values.set(hex(about), [agency, matter, version, masks, notAfter, uses, 0, index, join(new Uint8Array(32), entry)]);
    } else if (kind === 31 || kind === 32) {
      const key = hex(kind === 31 ? sha256(about) : about);
      const before = values.get(key);
      if (before) values.set(key, [...before.slice(0, 5), before[5] - (kind === 32), kind === 31 ? index : before[6], before[7], join(before[8], entry)]);
    }
  });
  return values;
}

function bucket(entries) {
  const rows = [...grants(entries)].map(([handle, value]) => {
    const path = sha256(grantKey(Uint8Array.from(Buffer.from(handle, "hex"))));
    return { path: hex(path), pair: concat(path, join(VALUE, encode(value))) };
  });
  return rows.sort((a, b) => (a.path < b.path ? -1 : 1)).map(({ pair }) => pair);
}

export function stateLine(entries) {
  const pairs = bucket(entries);
  return `state ${base64(pairs.length > 0 ? join(BUCKET, ...pairs) : new Uint8Array(32))}\n`;
}

/** A proof of the state of `handle` under the log's checkpoint of `size`. */
export function stateProof(log, handle, size = log.entries.length) {
  const entries = log.entries.slice(0, size);
  const value = grants(entries).get(hex(handle));
  const said = value ? `value ${base64(encode(value))}` : "absent";
  const pairs = base64(concat(...bucket(entries)));
  return `govchain/state-proof@v1\nkey ${base64(grantKey(handle))}\n${said}\nbucket ${pairs || "-"}\n\n${log.checkpoint(size)}`;
}
