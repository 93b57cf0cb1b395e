// What the phone keeps, in IndexedDB. Keys are kept as CryptoKey objects: their private halves cannot be read out.
//
//   state         one object per name: wallet, trust, seed, pin, preferences
//   keys          CryptoKeyPair by name
//   certificates  by id
//   grants        by handle (hex): what this phone agreed to, and the receipts it has seen
//   documents     registered definitions by SHA-256 (hex)

const NAME = "govchain-wallet";
const VERSION = 1;
const STORES = ["state", "keys", "certificates", "grants", "documents"];

export async function openStore() {
  const opening = indexedDB.open(NAME, VERSION);
  opening.onupgradeneeded = () => STORES.forEach((name) => opening.result.createObjectStore(name));
  const database = await settled(opening);
  database.onversionchange = () => database.close();
  const objects = (name, mode) => database.transaction(name, mode).objectStore(name);
  return {
    get: (name, key) => settled(objects(name, "readonly").get(key)),
    all: (name) => settled(objects(name, "readonly").getAll()),
    put: (name, key, value) => committed(objects(name, "readwrite"), (to) => to.put(value, key)),
    remove: (name, key) => committed(objects(name, "readwrite"), (from) => from.delete(key)),
    /** Read and write in one transaction, so that two open tabs never take the same counter. */
    async update(name, key, change) {
      const where = objects(name, "readwrite");
      const value = change(await settled(where.get(key)));
      await committed(where, (to) => to.put(value, key));
      return value;
    },
    async erase() {
      const transaction = database.transaction(STORES, "readwrite");
      STORES.forEach((name) => transaction.objectStore(name).clear());
      await finished(transaction);
    },
  };
}

function committed(objects, act) {
  act(objects);
  return finished(objects.transaction);
}

const finished = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
