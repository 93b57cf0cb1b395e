// The PIN without a network. The home agency is the judge of the PIN (5 tries); this verifier only decides whether
// certificates are shown while offline. Six digits can be tried out by whoever reads this phone's storage, however
// slow the hash: it is a curtain for the display, not a lock on keys, and settings say so. Whoever merely holds the
// phone gets five tries here too: it is the same PIN, and must not be found out with the network switched off.

import { equal, utf8 } from "./bytes.js";
import { demand } from "./errors.js";

const ROUNDS = 600_000;
const TRIES = 5;
export const PIN_FORM = /^[0-9]{6}$/;

export async function keepVerifier(store, pin) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  await store.put("state", "pin", { salt, rounds: ROUNDS, hash: await stretch(pin, salt, ROUNDS), tries: TRIES });
}

/** Whether `pin` is the one kept; a try is spent before it is looked at, the right one gives all back. */
export async function opensDisplay(store, pin) {
  if (!(await store.get("state", "pin"))) return false;
  const { salt, rounds, hash, tries } = await store.update("state", "pin", (kept) => ({ ...kept, tries: (kept.tries ?? TRIES) - 1 }));
  demand(tries >= 0, "pin-needs-network");
  const opens = equal(await stretch(pin, salt, rounds), hash);
  if (opens) await restoreTries(store);
  return opens;
}

/** The home agency has opened the wallet: whoever holds the phone knows the PIN or has the passkey. */
export async function restoreTries(store) {
  if (await store.get("state", "pin")) await store.update("state", "pin", (kept) => ({ ...kept, tries: TRIES }));
}

/** Digits a thief would try first: one digit repeated, or a run up or down. */
export function isWeak(pin) {
  const steps = new Set([...pin].slice(1).map((digit, i) => Number(digit) - Number(pin[i])));
  return steps.size === 1 && [-1, 0, 1].includes([...steps][0]);
}

async function stretch(pin, salt, iterations) {
  const key = await crypto.subtle.importKey("raw", utf8(pin), "PBKDF2", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, key, 256);
  return new Uint8Array(bits);
}
