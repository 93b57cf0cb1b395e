import assert from "node:assert/strict";
import { createHash, pbkdf2Sync } from "node:crypto";
import { test } from "node:test";

import { fromB64url, hex, utf8 } from "../src/bytes.js";
import { memoryStore } from "../src/memory.js";
import { makeCode, openBackup, readCode, refreshBackup, restore, startBackup, stretch } from "../src/recovery.js";
import { allSecrets, makeSeed, nextSecret } from "../src/secrets.js";
import { WalletError } from "../src/errors.js";

/** A home agency that keeps what it is given, and gives it to whoever shows the right key. */
function homeAgency() {
  const kept = {};
  return {
    kept,
    keepBackup: async (backup) => void Object.assign(kept, backup),
    ask: async ({ locator, asking_key }) => {
      const verifier = createHash("sha256").update(fromB64url(asking_key)).digest("base64url");
      if (locator !== kept.locator || verifier !== kept.verifier) throw new WalletError("recovery-wrong");
      return { content: kept.content, ended: false };
    },
  };
}

async function phone() {
  const store = memoryStore();
  await makeSeed(store);
  return store;
}

test("a code has 24 symbols and is read forgivingly", () => {
  const code = makeCode();
  assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}$/);
  assert.equal(readCode(` ${code.toLowerCase().replaceAll("-", " ")} `), code.replaceAll("-", ""));
  assert.equal(readCode("O".repeat(12) + "il".repeat(6)), "0".repeat(12) + "1".repeat(12));
  for (const text of ["", code.slice(1), `${code}0`, code.replace(/.$/, "U"), code.replace(/.$/, "中")]) assert.equal(readCode(text), null);
});

test("a code is stretched by PBKDF2 with 600,000 rounds; the key that encrypts is not the key that asks", async () => {
  const code = "7KQM3F9TXW2P7KQM3F9TXW2P";
  const { locator, asking, key } = await stretch(code);
  const expected = pbkdf2Sync(code, "govchain/recovery/v1\n7KQM3F", 600_000, 64, "sha256");
  assert.equal(locator, "7KQM3F");
  assert.equal(hex(asking), expected.subarray(32).toString("hex"));
  assert.equal(key.extractable, false);
});

test("a new phone finds the old one's secrets with the code, and what to have issued again", async () => {
  const [old, fresh, home] = [await phone(), await phone(), homeAgency()];
  await old.put("certificates", "1", { type: { name: { zh: "证", en: "C" } }, agency: { name: { zh: "局", en: "B" } } });
  const secrets = [await nextSecret(old), await nextSecret(old)];
  const code = readCode(await startBackup({ store: old, home }));
  secrets.push(await nextSecret(old));
  await refreshBackup({ store: old, home });
  const missing = await restore(await openBackup(code, home.ask), { store: fresh, home });
  assert.deepEqual(missing, [{ type: { zh: "证", en: "C" }, agency: { zh: "局", en: "B" } }]);
  const found = (await allSecrets(fresh)).map(({ handle }) => hex(handle));
  for (const { handle } of secrets) assert.ok(found.includes(hex(handle)));
});

test("the home agency sees neither seed nor certificate", async () => {
  const [store, home] = [await phone(), homeAgency()];
  await store.put("certificates", "1", { type: { name: { zh: "居民身份证", en: "ID" } }, agency: { name: { zh: "局", en: "B" } } });
  await startBackup({ store, home });
  const bytes = Buffer.from(fromB64url(home.kept.content));
  assert.ok(!bytes.includes(Buffer.from(utf8("居民身份证"))) && !bytes.includes("seeds"));
});

test("a wrong code, and a backup that was changed, open nothing", async () => {
  const [store, home] = [await phone(), homeAgency()];
  const code = readCode(await startBackup({ store, home }));
  const wrong = code.slice(0, 23) + (code[23] === "0" ? "1" : "0");
  await assert.rejects(openBackup(wrong, home.ask), { code: "recovery-wrong" });
  home.kept.content = (home.kept.content[0] === "A" ? "B" : "A") + home.kept.content.slice(1);
  await assert.rejects(openBackup(code, home.ask), { code: "backup-unreadable" });
});

test("a backup that could not be brought up to date is marked, and hinders nothing", async () => {
  const [store, home] = [await phone(), homeAgency()];
  await startBackup({ store, home });
  const away = { keepBackup: async () => { throw new WalletError("offline"); } };
  await refreshBackup({ store, home: away });
  assert.equal((await store.get("state", "backup")).stale, true);
  await refreshBackup({ store, home });
  assert.equal((await store.get("state", "backup")).stale, false);
});
