// The secrets behind grants. A handle is SHA-256 of a 32-byte secret; showing the secret withdraws the grant.
// Secrets come from one seed by HKDF and a counter, so the phone finds all its handles again from the seed alone.
// The seed lies encrypted under an AES key that cannot be read out of the browser.

import { b64url, concat, u32, utf8 } from "./bytes.js";
import { sha256 } from "./keys.js";

const LABEL = utf8("govchain/handle/v1\n");

export async function makeSeed(store) {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, seed));
  await store.put("state", "seed", { key, iv, sealed, next: 0 });
}

/** Takes the next counter, durably: a crash may skip one, and never uses one twice. → {counter, secret, handle}. */
export async function nextSecret(store) {
  const { next } = await store.update("state", "seed", (seed) => ({ ...seed, next: seed.next + 1 }));
  return secretAt(store, next - 1);
}

/** Every secret handed out so far, oldest first. */
export async function allSecrets(store) {
  const kept = await store.get("state", "seed");
  return Promise.all(Array.from({ length: kept?.next ?? 0 }, (_, counter) => secretAt(store, counter)));
}

async function secretAt(store, counter) {
  const { key, iv, sealed } = await store.get("state", "seed");
  const seed = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed);
  const secret = await derive(new Uint8Array(seed), counter);
  return { counter, secret, handle: await sha256(secret) };
}

/** HKDF-SHA-256 (RFC 5869) without salt; info = label ‖ counter as 32 bits. */
export async function derive(seed, counter) {
  const key = await crypto.subtle.importKey("raw", seed, "HKDF", false, ["deriveBits"]);
  const info = concat(LABEL, u32(counter));
  const parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 256));
}

export const withdrawalOf = (secret) => ({ secret: b64url(secret) });
