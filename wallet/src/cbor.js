// Deterministic CBOR (RFC 8949 §4.2.1) narrowed to what ledger entries hold: unsigned integers, byte strings, arrays.
// `decode` refuses every other encoding, so one value has one byte string and one digest.
// Integers above 2^53 - 1 come back as BigInt.

import { concat } from "./bytes.js";

export const MAX_DEPTH = 6;
const UINT = 0;
const BYTES = 2;
const ARRAY = 4;
const LEAST = [0n, 24n, 1n << 8n, 1n << 16n, 1n << 32n];

export class NotCanonical extends Error {}

export function decode(bytes) {
  const reader = { bytes, at: 0 };
  const value = item(reader, MAX_DEPTH);
  if (reader.at !== bytes.length) throw new NotCanonical("bytes after the value");
  return value;
}

export function encode(value) {
  if (typeof value === "number" || typeof value === "bigint") return head(UINT, BigInt(value));
  if (value instanceof Uint8Array) return concat(head(BYTES, BigInt(value.length)), value);
  if (Array.isArray(value)) return concat(head(ARRAY, BigInt(value.length)), ...value.map(encode));
  throw new NotCanonical("only unsigned integers, byte strings and arrays");
}

function item(reader, depth) {
  const [major, argument] = readHead(reader);
  if (major === UINT) return argument <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(argument) : argument;
  // Every item takes at least one byte: a length beyond what is left is a lie, told before anything is allocated.
  if (argument > BigInt(reader.bytes.length - reader.at)) throw new NotCanonical("cut short");
  const length = Number(argument);
  if (major === BYTES) {
    reader.at += length;
    return reader.bytes.slice(reader.at - length, reader.at);
  }
  if (depth === 0) throw new NotCanonical("nested too deeply");
  return Array.from({ length }, () => item(reader, depth - 1));
}

function readHead(reader) {
  const first = byte(reader);
  const major = first >> 5;
  const info = first & 31;
  if (major !== UINT && major !== BYTES && major !== ARRAY) throw new NotCanonical("type not permitted");
  if (info < 24) return [major, BigInt(info)];
  if (info > 27) throw new NotCanonical("indefinite or reserved length");
  let argument = 0n;
  for (let left = 1 << (info - 24); left > 0; left--) argument = (argument << 8n) | BigInt(byte(reader));
  if (argument < LEAST[info - 23]) throw new NotCanonical("not the shortest form");
  return [major, argument];
}

function byte(reader) {
  if (reader.at >= reader.bytes.length) throw new NotCanonical("cut short");
  return reader.bytes[reader.at++];
}

function head(major, argument) {
  if (argument < 0n || argument >= 1n << 64n) throw new NotCanonical("integer out of range");
  if (argument < 24n) return Uint8Array.of((major << 5) | Number(argument));
  const width = argument < LEAST[2] ? 1 : argument < LEAST[3] ? 2 : argument < LEAST[4] ? 4 : 8;
  const out = new Uint8Array(1 + width);
  out[0] = (major << 5) | (24 + Math.log2(width));
  for (let i = width; i > 0; i--, argument >>= 8n) out[i] = Number(argument & 255n);
  return out;
}
