// Whatever the wallet refuses, or is refused, is a WalletError: a stable code and, from servers, their own words.
// Words for the wallet's own codes stand in strings.js under `error.<code>`.

export class WalletError extends Error {
  constructor(code, { params = {}, words = null, cause = undefined } = {}) {
    super(code, { cause });
    this.name = "WalletError";
    this.code = code;
    this.params = params;
    this.words = words;
  }
}

/** Throws unless `holds`; the refusals of a protocol step read as one list. */
export function demand(holds, code, params = {}) {
  if (!holds) throw new WalletError(code, { params });
}
