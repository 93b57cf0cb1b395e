// The store's interface over Maps: for what must not outlive the page (a lost phone's secrets on a borrowed one).

export function memoryStore() {
  const stores = new Map();
  const of = (name) => stores.get(name) ?? stores.set(name, new Map()).get(name);
  return {
    get: async (name, key) => of(name).get(key),
    all: async (name) => [...of(name).values()],
    put: async (name, key, value) => void of(name).set(key, value),
    remove: async (name, key) => void of(name).delete(key),
    async update(name, key, change) {
      const value = change(of(name).get(key));
      of(name).set(key, value);
      return value;
    },
    erase: async () => stores.clear(),
  };
}
