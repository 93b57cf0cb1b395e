import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { ERRORS, WORDS } from "../src/strings.js";

const folders = ["../src/", "../src/screens/"].map((path) => new URL(path, import.meta.url));
const sources = folders.flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith(".js")).map((name) => readFileSync(new URL(name, folder), "utf8")));
const code = sources.filter((text) => !text.includes("export const WORDS")).join("\n");

test("every word is there in both languages, with the same places to fill", () => {
  const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const [key, [zh, en, ...rest]] of Object.entries(WORDS)) {
    assert.ok(zh && en && rest.length === 0, key);
    assert.deepEqual(places(zh), places(en), key);
  }
  for (const [key, [zh, en]] of Object.entries(ERRORS)) assert.ok(zh.length === 2 && en.length === 2 && zh[0] && en[0], key);
});

test("every word the code asks for exists, and every word is asked for", () => {
  const asked = new Set([...code.matchAll(/["'`]((?:[a-z]+)\.[A-Za-z0-9]+)["'`]/g)].map(([, key]) => key).filter((key) => key in WORDS || /\bt\("/.test(key)));
  for (const [, key] of code.matchAll(/\bt\("([^"]+)"/g)) assert.ok(key in WORDS, key);
  const families = [...code.matchAll(/`([a-z]+\.[a-z]*)\$\{/gi)].map(([, prefix]) => prefix);
  for (const key of Object.keys(WORDS)) {
    assert.ok(asked.has(key) || families.some((prefix) => key.startsWith(prefix)), `${key} is never said`);
  }
});

test("every refusal of the wallet's own has words", () => {
  const codes = [...code.matchAll(/(?:demand\([^;]*?,|WalletError\()\s*"([a-z-]+)"/gs)].map(([, found]) => found);
  assert.ok(codes.length > 40);
  for (const found of codes) assert.ok(found in ERRORS, found);
});
