// Who used what, when, for which matter: read from the ledger, checked on this phone.
//
// The phone asks for all its handles by their first two bytes (many strangers' handles share them), keeps what is its
// own, and verifies every receipt. A receipt is
//   checked    verified here, and its checkpoint tied to the newest one; with validators, certified by a quorum of them
//   pending    the same, but so far only its node's word: the quorum's certificate follows in a moment
//   kept       verified here earlier; now offline, so nothing newer is known
//   wrong      it claims to be about us and did not verify: said in red, never hidden
// A record seen once must be served ever after: if it is missing from a later answer, the history says so. And nothing
// is missing that was never seen either: the ledger's state holds a hash chain over every record of a grant, proven
// under the same checkpoint. What that says of a grant's records is its `proof.verdict`:
//   complete    they are all there are
//   absent      there are none, and the ledger proves that it knows no such grant
//   incomplete  one was held back, or altered
//   unproven    the ledger gave no proof, a wrong one, or an old one
//   pending     they are all there are, by the word of one node: no quorum certifies it yet

import { b64url, equal, fromB64url, hex } from "./bytes.js";
import { WalletError } from "./errors.js";
import { getJson, getText } from "./http.js";
import { sha256 } from "./keys.js";
import { usesOf } from "./mandates.js";
import { ReceiptError, readUnverified } from "./receipt.js";
import { allSecrets, withdrawalOf } from "./secrets.js";
import { claimedHandle, grantKey, verifyHistory } from "./statemap.js";
import { fieldsOf } from "./trust.js";

const ABOUT = ["grant", "usage", "withdraw"];
/** Bytes of a handle given away where two are shared by too many. */
const LONG_PREFIX = 4;
const UNREACHABLE = ["offline", "server-slow", "server-error"];

/** → {online, checkpoint, grants: [{handle, state, events, …}], newest first}. `report(done, of)` follows progress. */
export async function readHistory({ store, trust, now, home = null, base = location.origin, report = () => {} }) {
  await learnUses(home, store);
  const secrets = [...(await allSecrets(store)), ...(await othersUses(store))];
  let online = true;
  try {
    if (secrets.length > 0) await refresh(secrets, { store, trust, base, report });
    else await trust.advance();
  } catch (error) {
    if (!(error instanceof WalletError) || !UNREACHABLE.includes(error.code)) throw error;
    online = false;
  }
  const kept = await store.all("grants");
  const grants = await Promise.all(kept.map((grant) => describe(grant, { store, trust, online, now: now() })));
  return { online, grants: grants.sort((a, b) => b.given - a.given) };
}

/** Withdraws a grant by showing its secret; any node takes it, and it names nobody. → the verified receipt. */
export async function withdraw(handle, { store, trust, base = location.origin }) {
  const secrets = await allSecrets(store);
  const { secret } = secrets.find((candidate) => b64url(candidate.handle) === handle);
  const { receipt: text } = await getJson(`${base}/ledger/withdrawals`, { json: withdrawalOf(secret) });
  const receipt = await trust.receipt(text);
  if (receipt.name !== "withdraw" || !equal(receipt.values.secret, secret)) throw new WalletError("withdrawal-receipt-wrong");
  await store.update("grants", handle, (grant) => ({ ...grant, receipts: [...grant.receipts, text] }));
  return receipt;
}

/** What was done under mandates this person gave: their home agency says which handles, the ledger proves the rest. */
async function learnUses(home, store) {
  if (!home?.unlocked) return;
  try {
    const { mandates } = await home.mandates();
    await store.put("state", "uses", usesOf(mandates));
  } catch (error) {
    // Unknown to us is only what is new since last time; the mandates' own screen says if they cannot be read.
    if (!(error instanceof WalletError)) throw error;
  }
}

const othersUses = async (store) =>
  ((await store.get("state", "uses")) ?? []).map(({ handle, agent }) => ({ handle: fromB64url(handle), counter: null, agent }));

async function refresh(secrets, { store, trust, base, report }) {
  const prefixes = [...new Set(secrets.map(({ handle }) => hex(handle.slice(0, 2))))];
  const found = new Map(secrets.map(({ handle }) => [hex(handle), []]));
  const proofs = new Map();
  const seen = trust.size;
  for (const [done, prefix] of prefixes.entries()) {
    report(done, prefixes.length);
    for (const { receipts, states } of await answers(prefix, secrets, base)) {
      for (const text of receipts) {
        // Whose it claims to be decides where it is shown; whether that is true, only its verification.
        const claimed = readUnverified(text);
        const mine = claimed && found.get(await handleOf(claimed));
        if (mine) mine.push({ text, index: claimed.index, genuine: await ifGenuine(trust.receipt(text)) });
      }
      for (const text of states ?? []) proofs.set(claimedHandle(text), text);
    }
  }
  report(prefixes.length, prefixes.length);
  for (const { handle, counter, agent = null } of secrets) {
    const events = found.get(hex(handle));
    const key = b64url(handle);
    const known = await store.get("grants", key);
    const proof = await judge(handle, events, proofs.get(hex(handle)), { trust, base, seen });
    if (!known && events.length === 0 && proof.verdict !== "incomplete") continue;
    await store.put("grants", key, { ...merge(known ?? { handle, counter, agent, receipts: [] }, events), proof });
  }
}

/** What was seen before stays, whatever the answer was; what is missing from the answer, or forged in it, is marked. */
function merge(grant, events) {
  const genuine = events.filter((event) => event.genuine);
  const indexes = new Set(genuine.map(({ index }) => index));
  const before = grant.receipts.map((text) => [readUnverified(text).index, text]);
  const hidden = before.filter(([index]) => !indexes.has(index)).map(([index]) => index);
  const texts = new Map([...before, ...genuine.map(({ index, text }) => [index, text])]);
  const sorted = [...texts].sort(([a], [b]) => a - b);
  const suspects = events.filter((event) => !event.genuine).map(({ text }) => text);
  return { ...grant, receipts: sorted.map(([, text]) => text), hidden, suspects };
}

/** What the ledger has under a prefix: in one answer, or one for each of our handles where too many strangers share it. */
async function answers(prefix, secrets, base) {
  try {
    return [await getJson(`${base}/ledger/handles/${prefix}`)];
  } catch (error) {
    if (!(error instanceof WalletError) || error.code !== "prefix-too-short") throw error;
    const longer = new Set(secrets.map(({ handle }) => hex(handle.slice(0, LONG_PREFIX))));
    const mine = [...longer].filter((each) => each.startsWith(prefix));
    return Promise.all(mine.map((each) => getJson(`${base}/ledger/handles/${each}`)));
  }
}

/** → {verdict, size of the log it holds for}. A proof under a checkpoint older than one already `seen` says nothing. */
async function judge(handle, events, text, { trust, base, seen }) {
  const unproven = { verdict: "unproven", size: 0 };
  // No record of it: asking for this one handle tells only what our home agency was told when we consented.
  const given = text ?? (events.length === 0 ? await stateOf(handle, base) : null);
  const proven = given && (await ifGenuine(trust.stateProof(given)));
  if (!proven || proven.size < seen) return unproven;
  const entries = new Map(events.map(({ index, genuine }) => [index, genuine]));
  if ([...entries.values()].includes(null)) return { verdict: "incomplete", size: proven.size };
  const inOrder = [...entries].sort(([a], [b]) => a - b).map(([, { entry }]) => entry);
  try {
    verifyHistory(handle, inOrder, proven);
  } catch (error) {
    if (!(error instanceof ReceiptError)) throw error;
    return { verdict: "incomplete", size: proven.size };
  }
  if (!trust.settled(proven.checkpoint)) return { verdict: "pending", size: proven.size };
  return { verdict: proven.value === null ? "absent" : "complete", size: proven.size };
}

async function stateOf(handle, base) {
  try {
    return await getText(`${base}/ledger/state/${hex(grantKey(handle))}`);
  } catch (error) {
    if (!(error instanceof WalletError) || UNREACHABLE.includes(error.code)) throw error;
    return null;
  }
}

async function handleOf({ name, values }) {
  if (!ABOUT.includes(name)) return null;
  return hex(name === "withdraw" ? await sha256(values.secret) : values.handle);
}

/** What a verification found, or null where it failed. */
async function ifGenuine(verification) {
  try {
    return await verification;
  } catch (error) {
    if (!(error instanceof WalletError) || UNREACHABLE.includes(error.code)) throw error;
    return null;
  }
}

async function describe(grant, { store, trust, online, now }) {
  const events = [];
  for (const text of grant.receipts) events.push(await event(text, { trust, online }));
  for (const text of grant.suspects ?? []) events.push({ text, receipt: null, state: "wrong" });
  const [first] = events.filter(({ receipt }) => receipt?.name === "grant");
  const values = first?.receipt.values;
  const used = events.filter(({ receipt }) => receipt?.name === "usage").length;
  const withdrawn = events.find(({ receipt }) => receipt?.name === "withdraw");
  const notAfter = values?.not_after ?? grant.notAfter ?? 0;
  const uses = values?.uses ?? grant.uses ?? 0;
  return {
    handle: b64url(grant.handle),
    given: first?.receipt.time ?? grant.given ?? 0,
    notAfter,
    uses,
    used,
    state: withdrawn ? "withdrawn" : !first ? "unrecorded" : notAfter <= now ? "expired" : used >= uses ? "spent" : "live",
    events,
    hidden: grant.hidden ?? [],
    proof: grant.proof ?? { verdict: "unproven", size: 0 },
    agent: grant.agent ?? null,
    principal: grant.principal ?? null,
    ...(await words(values, grant, { store, trust })),
  };
}

async function event(text, { trust, online }) {
  try {
    const receipt = trust.receiptOffline(text);
    // A kept receipt is tied to the newest checkpoint again when there is a network to do it with.
    if (online) await trust.receipt(text);
    return { text, receipt, state: !online ? "kept" : trust.settled(receipt.checkpoint) ? "checked" : "pending" };
  } catch (error) {
    if (!(error instanceof WalletError)) throw error;
    if (UNREACHABLE.includes(error.code)) return { text, receipt: trust.receiptOffline(text), state: "kept" };
    return { text, receipt: null, state: "wrong", reason: error.code };
  }
}

/** Names for numbers, from verified documents, kept with the grant for when there is no network. */
async function words(values, grant, { store, trust }) {
  if (grant.words) return grant.words;
  const number = values?.matter ?? grant.matter?.number;
  const version = values?.version ?? grant.matter?.version;
  try {
    const matter = await trust.matter(number, version);
    const { name } = await trust.agency(matter.record.agency);
    const masks = values?.masks ?? [grant.mask];
    const fields = matter.types.flatMap(({ type }, i) => fieldsOf(type.fields, masks[i] ?? 0));
    const found = { matter: matter.document.name, agency: name, fields: fields.map(({ id, zh, en }) => ({ id, zh, en })) };
    await store.update("grants", b64url(grant.handle), (kept) => ({ ...kept, words: found }));
    return found;
  } catch (error) {
    if (!(error instanceof WalletError)) throw error;
    return { matter: null, agency: null, fields: [] };
  }
}
