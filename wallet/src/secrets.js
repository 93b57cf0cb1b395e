// The secrets behind grants. A handle is SHA-256 of a 32-byte secret; showing the secret withdraws the grant.
// Secrets come from one seed by HKDF and a counter, so the phone finds all its handles again from the seed alone.
// Seeds lie encrypted under an AES key that cannot be read out of the browser. Besides this phone's own there may be
// seeds restored from a backup: good for looking and withdrawing, never for new grants, so no handle is made twice.

import { b64url, concat, fromB64url, u32, utf8 } from "./bytes.js";
import { sha256 } from "./keys.js";

const LABEL = utf8("govchain/handle/v1\n");
/** A backup may be older than its phone's last grants: so many more are looked for. */
const AHEAD = 8;

export async function makeSeed(store) {
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await store.put("state", "seed", { key, ...(await seal(key, crypto.getRandomValues(new Uint8Array(32)))), next: 0, restored: [] });
}

/** Takes the next counter, durably: a crash may skip one, and never uses one twice. → {counter, secret, handle}. */
export async function nextSecret(store) {
  const { next } = await store.update("state", "seed", (seed) => ({ ...seed, next: seed.next + 1 }));
  const seed = await store.get("state", "seed");
  return secretAt(await open(seed.key, seed), next - 1);
}

/** Every secret handed out so far, restored ones included, oldest first. */
export async function allSecrets(store) {
  const kept = await store.get("state", "seed");
  if (!kept) return [];
  const lists = [...(kept.restored ?? []), kept].map(async (each) => {
    const seed = await open(kept.key, each);
    return Promise.all(Array.from({ length: each.next }, (_, counter) => secretAt(seed, counter)));
  });
  return (await Promise.all(lists)).flat();
}

/** The seeds as a backup carries them: [{seed, next}], restored ones first. */
export async function seedsOf(store) {
  const kept = await store.get("state", "seed");
  const each = async ({ iv, sealed, next }) => ({ seed: b64url(await open(kept.key, { iv, sealed })), next });
  return Promise.all([...(kept.restored ?? []), kept].map(each));
}

/** Takes in the seeds of a backup, each once. */
export async function restoreSeeds(store, seeds) {
  const kept = await store.get("state", "seed");
  const known = (await seedsOf(store)).map(({ seed }) => seed);
  const fresh = seeds.filter(({ seed }) => !known.includes(seed));
  const sealed = await Promise.all(fresh.map(async ({ seed, next }) => ({ ...(await seal(kept.key, fromB64url(seed))), next: next + AHEAD })));
  await store.update("state", "seed", (now) => ({ ...now, restored: [...(now.restored ?? []), ...sealed] }));
}

async function secretAt(seed, counter) {
  const secret = await derive(seed, counter);
  return { counter, secret, handle: await sha256(secret) };
}

async function seal(key, seed) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, sealed: new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, seed)) };
}

const open = async (key, { iv, sealed }) => new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed));

/** HKDF-SHA-256 (RFC 5869) without salt; info = label ‖ counter as 32 bits. */
export async function derive(seed, counter) {
  const key = await crypto.subtle.importKey("raw", seed, "HKDF", false, ["deriveBits"]);
  const info = concat(LABEL, u32(counter));
  const parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 256));
}

export const withdrawalOf = (secret) => ({ secret: b64url(secret) });
