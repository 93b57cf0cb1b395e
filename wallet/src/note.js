// C2SP signed-note (Ed25519, type 0x01) and the tlog-checkpoint inside it.
// Text counts only once a signature of the pinned key has been verified; lines of unknown keys are ignored,
// a bad line of the pinned key spoils the whole note.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { concat, equal, fromBase64, hex, utf8 } from "./bytes.js";

const ED25519 = 1;
const MAX_SIGNATURES = 64;
const NODE = /\/[1-9][0-9]{0,4}$/;
const DECIMAL = /^(0|[1-9][0-9]{0,14})$/;

/** What was handed over is not a genuine proof; `code` is stable, the message is for logs. */
export class ReceiptError extends Error {
  constructor(code, message = code) {
    super(message);
    this.name = "ReceiptError";
    this.code = code;
  }
}

/** `<name>+<key id, 8 hex>+<base64 of 0x01 ‖ public key>` → {name, id, publicKey}. */
export function parseVkey(vkey) {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(String(vkey).trim());
  if (!match) throw new ReceiptError("vkey-malformed");
  const [, name, id, encoded] = match;
  const key = strictBase64(encoded, "vkey-malformed");
  if (key.length !== 33 || key[0] !== ED25519) throw new ReceiptError("vkey-malformed");
  const expected = sha256(concat(utf8(`${name}\n`), key)).slice(0, 4);
  if (hex(expected) !== id) throw new ReceiptError("vkey-malformed", "key id does not belong to the key");
  return { name, id: expected, publicKey: key.slice(1) };
}

/**
 * A checkpoint signed by `vkey` → {origin, size, root, extensions, text, certified: false}; throws `ReceiptError`.
 * A consortium's node signs as `<origin>/<agency>`.
 */
export function parseCheckpoint(text, vkey) {
  const key = typeof vkey === "string" ? parseVkey(vkey) : vkey;
  const { body, signatures } = splitNote(text);
  checkSignatures(body, signatures, key);
  const checkpoint = readCheckpoint(body, text);
  const { origin } = checkpoint;
  if (origin !== key.name && origin !== key.name.replace(NODE, "")) throw new ReceiptError("checkpoint-foreign", "another log's checkpoint");
  return { ...checkpoint, certified: false };
}

/** A checkpoint under what is pinned: a vkey, or {open(text)} for a ledger with validators (`quorum.js`). */
export const openCheckpoint = (text, pin) => (typeof pin?.open === "function" ? pin.open(text) : parseCheckpoint(text, pin));

/** A signed note → {body, signatures: [{name, blob}]}, nothing verified; throws `ReceiptError`. */
export function splitNote(text) {
  if (typeof text !== "string" || /[\u0000-\u0009\u000b-\u001f]/.test(text)) throw new ReceiptError("note-malformed");
  const cut = text.lastIndexOf("\n\n");
  if (cut < 0 || !text.endsWith("\n")) throw new ReceiptError("note-malformed");
  const lines = text.slice(cut + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw new ReceiptError("note-malformed", "too many signatures");
  return { body: text.slice(0, cut + 1), signatures: lines.map(signature) };
}

/** What a checkpoint's text says, nothing verified. */
export function readCheckpoint(body, text) {
  const [origin, size, root, ...extensions] = body.slice(0, -1).split("\n");
  if (!DECIMAL.test(size ?? "") || extensions.includes("")) throw new ReceiptError("checkpoint-malformed");
  return { origin, size: Number(size), root: digest(root ?? "", "checkpoint-malformed"), extensions, text };
}

export function digest(text, code) {
  const bytes = strictBase64(text, code);
  if (bytes.length !== 32) throw new ReceiptError(code);
  return bytes;
}

export function strictBase64(text, code) {
  try {
    return fromBase64(text);
  } catch (error) {
    throw new ReceiptError(code, error.message);
  }
}

export function decimal(text, code) {
  if (!DECIMAL.test(text)) throw new ReceiptError(code);
  return Number(text);
}

function signature(line) {
  const match = /^\u2014 ([^+\s]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
  if (!match) throw new ReceiptError("note-malformed");
  const blob = strictBase64(match[2], "note-malformed");
  if (blob.length < 5) throw new ReceiptError("note-malformed", "signature too short");
  return { name: match[1], blob };
}

function checkSignatures(body, signatures, key) {
  let verified = false;
  for (const { name, blob } of signatures) {
    if (name !== key.name || !equal(blob.slice(0, 4), key.id)) continue;
    if (!ed25519Verifies(blob.slice(4), utf8(body), key.publicKey)) throw new ReceiptError("signature-wrong");
    verified = true;
  }
  if (!verified) throw new ReceiptError("signature-missing", "no signature of the pinned key");
}

function ed25519Verifies(signature, message, publicKey) {
  // RFC 8032 strictness (no ZIP-215 leniency): a signature has one form.
  return signature.length === 64 && ed25519.verify(signature, message, publicKey, { zip215: false });
}
