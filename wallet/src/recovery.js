// The recovery code and the backup it opens. The code is made here and never sent: PBKDF2 turns it into a key that
// encrypts (and stays here) and a key to ask the home agency with. See identity/core/recovery.py for the format.
//
// In the backup: the seeds of this phone's grants, and which certificates it holds, so that a new phone can look at and
// withdraw every grant and knows what to have issued again. Certificates and keys are not in it: keys cannot leave a
// phone, and a certificate without its key is worth nothing.

import { b64url, concat, fromB64url, fromUtf8, utf8 } from "./bytes.js";
import { WalletError, demand } from "./errors.js";
import { sha256 } from "./keys.js";
import { restoreSeeds, seedsOf } from "./secrets.js";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 24;
const LOCATOR = 6;
const ROUNDS = 600_000;
const SALT = utf8("govchain/recovery/v1\n");
const FORGIVEN = { O: "0", I: "1", L: "1" };

/** A fresh code, as shown: six groups of four. */
export function makeCode() {
  const bytes = crypto.getRandomValues(new Uint8Array(LENGTH));
  return grouped(Array.from(bytes, (byte) => ALPHABET[byte & 31]).join(""));
}

export const grouped = (code) => code.match(/.{4}/g).join("-");

/** 24 symbols, or null where `text` is no recovery code at all. */
export function readCode(text) {
  const code = [...text.toUpperCase().replace(/[\s-]/g, "")].map((symbol) => FORGIVEN[symbol] ?? symbol).join("");
  return code.length === LENGTH && [...code].every((symbol) => ALPHABET.includes(symbol)) ? code : null;
}

/** → {locator, asking (32 bytes), key (AES-GCM, not extractable)}. Takes about a second, on purpose. */
export async function stretch(code) {
  const locator = code.slice(0, LOCATOR);
  const material = await crypto.subtle.importKey("raw", utf8(code), "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt: concat(SALT, utf8(locator)), iterations: ROUNDS };
  const bits = new Uint8Array(await crypto.subtle.deriveBits(parameters, material, 512));
  const key = await crypto.subtle.importKey("raw", bits.slice(0, 32), "AES-GCM", false, ["encrypt", "decrypt"]);
  return { locator, asking: bits.slice(32), key };
}

/** Starts the backup under a fresh code, or takes another code from now on. → the code, to be shown once. */
export async function startBackup({ store, home }) {
  const code = makeCode();
  const { locator, asking, key } = await stretch(readCode(code));
  const backup = { locator, verifier: b64url(await sha256(asking)), key };
  await upload(backup, { store, home });
  await store.put("state", "backup", { ...backup, stale: false });
  return code;
}

/** Brings the kept backup up to date. It never fails what it follows: a backup that is behind is tried again later. */
export async function refreshBackup({ store, home }) {
  const backup = await store.get("state", "backup");
  if (!backup) return;
  const behind = (stale) => store.update("state", "backup", (now) => ({ ...now, stale }));
  await behind(true);
  try {
    await upload(backup, { store, home });
  } catch (error) {
    if (!(error instanceof WalletError)) throw error;
    return;
  }
  await behind(false);
}

/** What a backup holds, with its code; `ask` sends the asking key and gets the ciphertext. */
export async function openBackup(code, ask) {
  const { locator, asking, key } = await stretch(code);
  const { content, ended } = await ask({ locator, asking_key: b64url(asking) });
  try {
    const bytes = fromB64url(content);
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes.slice(0, 12) }, key, bytes.slice(12));
    return { ...JSON.parse(fromUtf8(new Uint8Array(plain))), ended };
  } catch (cause) {
    throw new WalletError("backup-unreadable", { cause });
  }
}

/** Takes a backup into this phone. → the certificates to have issued again. */
export async function restore(backup, { store, home }) {
  demand(Array.isArray(backup.seeds) && Array.isArray(backup.certificates), "backup-unreadable");
  await restoreSeeds(store, backup.seeds);
  await store.put("state", "missing", backup.certificates);
  await refreshBackup({ store, home });
  return backup.certificates;
}

async function upload({ locator, verifier, key }, { store, home }) {
  const certificates = (await store.all("certificates")).map(({ type, agency }) => ({ type: type.name, agency: agency.name }));
  const plain = utf8(JSON.stringify({ seeds: await seedsOf(store), certificates }));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, plain));
  await home.keepBackup({ locator, verifier, content: b64url(concat(iv, sealed)) });
}
