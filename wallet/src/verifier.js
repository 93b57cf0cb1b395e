// What other software verifies a consortium's receipts with, in one ES module: `receipt.js` and the quorum's certificates.

import { fastAggregateVerify } from "./bls.js";
import { Followed, pinOf } from "./quorum.js";
import { ReceiptError, parseCheckpoint, verifyReceipt as verify } from "./receipt.js";
import { verifyStateProof as verifyState } from "./statemap.js";

export { ReceiptError };

/** `vkey`: the first validators' (`govchain ledger vkey`); `sets`: what any node answers at /ledger/validators. → what the others take. */
export const follow = (vkey, sets) => Followed.pinned(vkey, sets, fastAggregateVerify);

/** As in `receipt.js`, under `followed`; with `vkey`, one signer's word is enough: `certified` is then false. */
export const verifyReceipt = (text, followed, vkey) => verify(text, pin(followed, vkey));

/** As in `statemap.js`. */
export const verifyStateProof = (text, followed, vkey) => verifyState(text, pin(followed, vkey));

const pin = (followed, vkey) =>
  pinOf(vkey, followed, (text, key) => {
    if (!key) throw new ReceiptError("quorum-missing", "no certificate by a set that is followed");
    return parseCheckpoint(text, key);
  });
