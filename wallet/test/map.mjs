// A small state map of the tests' own: grants, agencies and their keys, never more than one bucket holds.

import { sha256 } from "@noble/hashes/sha2.js";

import { agencyKey, keyKey } from "../src/agencies.js";
import { base64, concat, fromHex, hex } from "../src/bytes.js";
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

/** State key in hex → value: what genesis founds, what `votes` ({at, key, value}) changed by then, and the grants. */
function state(entries, votes) {
  const values = new Map();
  const [, , [kind, , agencies]] = entries.length > 0 ? readable(entries[0]) : [0, 0, []];
  if (kind === 1) {
    const accreditations = readable(entries[0])[2][3];
    for (const [number, keyNo, ...keys] of agencies) {
      const types = accreditations.filter(([agency]) => agency === number).map(([, type]) => type);
      values.set(hex(agencyKey(number)), [keyNo, ...keys, types, 0, [], 0]);
      values.set(hex(keyKey(number, keyNo)), [...keys.slice(0, 3), 0, 0, 0]);
    }
    values.set("63", [agencies.map(([number]) => number), []]);
  }
  for (const { at, key, value } of votes) if (at < entries.length) values.set(hex(key), value);
  for (const [handle, value] of grants(entries)) values.set(hex(grantKey(fromHex(handle))), value);
  return values;
}

function bucket(values) {
  const rows = [...values].map(([key, value]) => {
    const path = sha256(fromHex(key));
    return { path: hex(path), pair: concat(path, join(VALUE, encode(value))) };
  });
  if (rows.length > 16) throw new Error("more than one bucket holds");
  return rows.sort((a, b) => (a.path < b.path ? -1 : 1)).map(({ pair }) => pair);
}

export function stateLine(entries, votes = []) {
  const pairs = bucket(state(entries, votes));
  return `state ${base64(pairs.length > 0 ? join(BUCKET, ...pairs) : new Uint8Array(32))}\n`;
}

/** A proof of the state of a key under the log's checkpoint of `size`. */
export function stateProof(log, key, size = log.entries.length) {
  const values = state(log.entries.slice(0, size), log.votes);
  const value = values.get(hex(key));
  const said = value ? `value ${base64(encode(value))}` : "absent";
  const pairs = base64(concat(...bucket(values)));
  return `govchain/state-proof@v1\nkey ${base64(key)}\n${said}\nbucket ${pairs || "-"}\n\n${log.checkpoint(size)}`;
}
