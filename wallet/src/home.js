// The citizen's home agency: it binds this phone to the person, judges the PIN or passkey, and records grants.
// A session lives in memory only and ten minutes at most; leaving the app forgets it.

import { b64url, fromB64url } from "./bytes.js";
import { WalletError, demand } from "./errors.js";
import { getJson } from "./http.js";
import { deviceProof, makeKey } from "./keys.js";
import { keepVerifier } from "./pin.js";
import { makeSeed } from "./secrets.js";

export class Home {
  #store;
  #wallet;
  #session = null;
  #now;

  constructor(store, wallet, now) {
    this.#store = store;
    this.#wallet = wallet;
    this.#now = now;
  }

  static async open(store, now) {
    return new Home(store, await store.get("state", "wallet"), now);
  }

  get activated() {
    return Boolean(this.#wallet);
  }

  /** {id, citizen, home, base, passkey} */
  get wallet() {
    return this.#wallet;
  }

  get slug() {
    return this.#wallet.home.slug;
  }

  get number() {
    return this.#wallet.home.number;
  }

  get unlocked() {
    return Boolean(this.#session) && this.#session.until > this.#now();
  }

  forget() {
    this.#session = null;
  }

  /** Binds this phone: pins the ledger, makes the device key and the seed, and asks the home agency. */
  async activate({ code, pin, trust, base = location.origin }) {
    const config = await getJson(`${base}/wallet/config.json`);
    demand(new URL(config.home.base_url).origin === base, "wrong-address", { address: config.home.base_url });
    await trust.pin(config.ledger.vkey);
    const pair = await makeKey();
    await this.#store.put("keys", "device", pair);
    const url = `${config.home.base_url}/agencies/${config.home.slug}/wallets`;
    const device_proof = await deviceProof(pair, { method: "POST", url, now: this.#now() });
    const answer = await getJson(url, { json: { activation_code: code, pin, device_proof, name: phoneName() } });
    const ledgerHome = await trust.agency(answer.home.number);
    demand(ledgerHome.slug === config.home.slug, "agency-unknown-to-ledger");
    await makeSeed(this.#store);
    await keepVerifier(this.#store, pin);
    this.#wallet = {
      id: answer.wallet_id,
      citizen: answer.citizen,
      home: { number: ledgerHome.number, slug: ledgerHome.slug, name: ledgerHome.name },
      base: config.home.base_url,
      passkey: false,
      assurance: answer.assurance,
      activated: this.#now(),
    };
    await this.#store.put("state", "wallet", this.#wallet);
    await this.unlock(pin);
  }

  /** Opens with the PIN; the home agency counts the tries. */
  unlock(pin) {
    return this.#open({ pin });
  }

  /** Opens with a passkey: fingerprint, face or the phone's own code, checked by the home agency. */
  async unlockWithPasskey() {
    const options = await this.#ask("/unlock/options", {}, await this.#proof("/unlock/options"));
    options.challenge = fromB64url(options.challenge);
    options.allowCredentials?.forEach((credential) => (credential.id = fromB64url(credential.id)));
    const assertion = await ceremony(() => navigator.credentials.get({ publicKey: options }));
    await this.#open({ passkey: asJson(assertion) });
  }

  /** Makes a passkey on this phone; needs an open wallet. */
  async addPasskey() {
    const options = await this.#ask("/passkeys/options", {}, this.#bearer());
    options.challenge = fromB64url(options.challenge);
    options.user.id = fromB64url(options.user.id);
    options.excludeCredentials?.forEach((credential) => (credential.id = fromB64url(credential.id)));
    const made = await ceremony(() => navigator.credentials.create({ publicKey: options }));
    await this.#ask("/passkeys", { credential: asJson(made) }, this.#bearer());
    this.#wallet = { ...this.#wallet, passkey: true };
    await this.#store.put("state", "wallet", this.#wallet);
  }

  /** Records a grant; → {receipt, handle}. */
  grant(body) {
    const url = `${this.#wallet.base}/agencies/${this.slug}/grants`;
    return getJson(url, { json: body, headers: this.#bearer() });
  }

  /** This person's phones, this one included: → {phones, backup}. */
  phones() {
    return getJson(this.#url("/phones"), { headers: this.#bearer() });
  }

  /** Ends another phone of mine; `lost` takes along what was signed with it. */
  endPhone(id, lost) {
    return this.#ask(`/phones/${id}/end`, { lost }, this.#bearer());
  }

  namePhone(name) {
    return this.#ask("/name", { name }, this.#bearer());
  }

  /** A code for one more phone of mine: → {code, expires}. */
  addPhone() {
    return this.#ask("/activations", {}, this.#bearer());
  }

  /** What deleting the account would take, and what stays: → {goes, stays}. */
  account() {
    return getJson(this.#url("/account"), { headers: this.#bearer() });
  }

  deleteAccount(body) {
    return this.#ask("/account/delete", body, this.#bearer());
  }

  /** The mandates I gave, with every use: → {mandates}. */
  mandates() {
    return getJson(this.#url("/mandates"), { headers: this.#bearer() });
  }

  /** → {mandate, offer: {wallet_url, qr, tx_code, expires}}, the offer being for the agent's phone. */
  giveMandate(statement) {
    return this.#ask("/mandates", { statement }, this.#bearer());
  }

  withdrawMandate(id) {
    return this.#ask(`/mandates/${id}/withdraw`, {}, this.#bearer());
  }

  keepBackup(backup) {
    return this.#ask("/backup", backup, this.#bearer());
  }

  async #open(body) {
    const { token, expires_in } = await this.#ask("/unlock", body, await this.#proof("/unlock"));
    // A few seconds early: a session that ends on the way is worse than one asked for again.
    this.#session = { token, until: this.#now() + expires_in - 10 };
  }

  async #proof(path) {
    const pair = await this.#store.get("keys", "device");
    return { DPoP: await deviceProof(pair, { method: "POST", url: this.#url(path), now: this.#now() }) };
  }

  #bearer() {
    demand(this.unlocked, "session-missing");
    return { Authorization: `Bearer ${this.#session.token}` };
  }

  #url(path) {
    return `${this.#wallet.base}/agencies/${this.slug}/wallets/${this.#wallet.id}${path}`;
  }

  #ask(path, json, headers) {
    return getJson(this.#url(path), { json, headers });
  }
}

/** Asks a home agency for a backup; needs no wallet, because the phone may be gone. → {content, ended}. */
export async function recover({ locator, asking_key, lost, base = location.origin }) {
  const { home } = await getJson(`${base}/wallet/config.json`);
  demand(new URL(home.base_url).origin === base, "wrong-address", { address: home.base_url });
  return getJson(`${home.base_url}/agencies/${home.slug}/recovery`, { json: { locator, asking_key, lost } });
}

/** What to call this phone until its owner says otherwise. */
function phoneName() {
  const agent = navigator.userAgent ?? "";
  const [, name] = [[/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Android/, "Android"], [/Harmony/, "HarmonyOS"]].find(([sign]) => sign.test(agent)) ?? [];
  return name ?? navigator.userAgentData?.platform ?? navigator.platform ?? "";
}

export const passkeysWork = () => typeof PublicKeyCredential === "function" && Boolean(navigator.credentials?.create);

async function ceremony(run) {
  let credential;
  try {
    credential = await run();
  } catch (cause) {
    // Cancelled, timed out, or no authenticator: the browser does not say which, on purpose.
    throw new WalletError("passkey-cancelled", { cause });
  }
  demand(credential, "passkey-cancelled");
  return credential;
}

/** Web Authentication Level 3 §5.1: the JSON form, spelled out for phones without toJSON(). */
function asJson({ id, rawId, type, response, ...rest }) {
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const spelled = parts.filter((part) => response[part]).map((part) => [part, b64url(new Uint8Array(response[part]))]);
  return { id, rawId: b64url(new Uint8Array(rawId)), type, clientExtensionResults: {}, response: Object.fromEntries(spelled), ...rest };
}
