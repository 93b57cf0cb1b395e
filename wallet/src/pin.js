// The PIN without a network. The home agency is the judge of the PIN (5 tries); this verifier only decides whether
// certificates are shown while offline. Six digits can be tried out by whoever reads this phone's storage, however
// slow the hash: it is a curtain for the display, not a lock on keys, and settings say so.

import { equal, utf8 } from "./bytes.js";

const ROUNDS = 600_000;
export const PIN_FORM = /^[0-9]{6}$/;

export async function keepVerifier(store, pin) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  await store.put("state", "pin", { salt, rounds: ROUNDS, hash: await stretch(pin, salt, ROUNDS) });
}

export async function opensDisplay(store, pin) {
  const kept = await store.get("state", "pin");
  return Boolean(kept) && equal(await stretch(pin, kept.salt, kept.rounds), kept.hash);
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
