import assert from "node:assert/strict";
import { test } from "node:test";

import { keepVerifier, opensDisplay, restoreTries } from "../src/pin.js";
import { memoryStore } from "./memory.mjs";

const PIN = "271828";

async function phone() {
  const store = memoryStore();
  await keepVerifier(store, PIN);
  return store;
}

test("without a network the right PIN opens the display, and gives all tries back", async () => {
  const store = await phone();
  assert.equal(await opensDisplay(store, "000000"), false);
  assert.equal(await opensDisplay(store, PIN), true);
  assert.equal((await store.get("state", "pin")).tries, 5);
});

test("the sixth guess is not looked at, not even the right one, until the home agency has opened the wallet", async () => {
  const store = await phone();
  const guesses = await Promise.all(["100000", "200000", "300000", "400000", "500000"].map((guess) => opensDisplay(store, guess)));
  assert.deepEqual(guesses, [false, false, false, false, false]);
  await assert.rejects(opensDisplay(store, PIN), { code: "pin-needs-network" });
  await restoreTries(store);
  assert.equal(await opensDisplay(store, PIN), true);
});

test("a phone activated before tries were counted still counts them", async () => {
  const store = await phone();
  await store.update("state", "pin", ({ tries, ...kept }) => kept);
  await opensDisplay(store, "000000");
  assert.equal((await store.get("state", "pin")).tries, 4);
});
