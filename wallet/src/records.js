// What ledger entries say: [block time, agency, [kind, …fields]]. The table mirrors the ledger's own table of records;
// an entry that does not fit its row is malformed, whoever signed it.

const count = (value) => Number.isSafeInteger(value) && value >= 0;
const bytes = (value) => value instanceof Uint8Array;
const bytesOf = (length) => (value) => bytes(value) && value.length === length;
const digest = bytesOf(32);
const counts = (value) => Array.isArray(value) && value.length > 0 && value.every(count);
const rows = (width) => (value) => Array.isArray(value) && value.length > 0 && value.every((row) => counts(row) && row.length === width);
const list = (value) => Array.isArray(value);
const item = (value) => count(value) || bytes(value) || (list(value) && value.every((row) => list(row) && row.every((each) => count(each) || bytes(each))));
const action = (value) => list(value) && count(value[0]) && value.every(item);

const KINDS = {
  1: ["genesis", { format: count, agencies: list, accreditations: list, checkpoint_key: digest, created: count, parameters: list }],
  2: ["transaction", { header: bytes, signature: bytes, refused: list }],
  10: ["type", { type: count, version: count, digest, grades: counts }],
  11: ["matter", { matter: count, version: count, digest, types: rows(4), max_life: count, max_uses: count, retention_days: count }],
  12: ["matter-approve", { matter: count, version: count, type: count }],
  20: ["issue", { type: count, type_version: count, commitment: digest }],
  21: ["status", { type: count, list: count, version: count, digest }],
  30: ["grant", { handle: digest, matter: count, version: count, masks: counts, not_after: count, uses: count, consent_digest: digest }],
  31: ["withdraw", { secret: digest }],
  32: ["usage", { handle: digest, matter: count, version: count, masks: counts, context_digest: digest }],
  40: ["propose", { proposal: count, action, expires: count }],
  41: ["vote", { proposal: count, yes: count }],
  50: ["statutory", { power: count, type: count, mask: count, tag: digest, context_digest: digest, concealed_until: count }],
  51: ["reveal", { index: count, tag: digest, salt: digest }],
  60: ["evidence", { evidence: count, digest }],
  61: [
    "equivocation",
    {
      bls_key: bytesOf(48),
      size: count,
      set_one: digest,
      body_one: digest,
      signature_one: bytesOf(96),
      set_two: digest,
      body_two: digest,
      signature_two: bytesOf(96),
    },
  ],
};

/** Genesis of a ledger with validators has one field more. */
const GENESIS_2 = ["genesis", { ...KINDS[1][1], validators: list }];

/** A decoded entry → {time, agency, kind, name, values}; null when it is not a ledger entry. */
export function readEntry(value) {
  if (!Array.isArray(value) || value.length !== 3) return null;
  const [time, agency, record] = value;
  if (!count(time) || !count(agency) || !Array.isArray(record) || !Object.hasOwn(KINDS, record[0])) return null;
  const [kind, ...fields] = record;
  const [name, shape] = kind === 1 && fields[0] === 2 ? GENESIS_2 : KINDS[kind];
  const labels = Object.keys(shape);
  if (!count(kind) || fields.length !== labels.length) return null;
  if (!labels.every((label, i) => shape[label](fields[i]))) return null;
  return { time, agency, kind, name, values: Object.fromEntries(labels.map((label, i) => [label, fields[i]])) };
}
