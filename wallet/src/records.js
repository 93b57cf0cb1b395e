// What ledger entries say: [block time, agency, [kind, …fields]]. Field order is the ledger's own record table.

const FIELDS = {
  1: ["genesis", ["format", "agencies", "accreditations", "checkpoint_pub", "created"]],
  2: ["transaction", ["header", "signature", "refused"]],
  10: ["type", ["type", "version", "digest", "grades"]],
  11: ["matter", ["matter", "version", "digest", "types", "max_life", "max_uses", "retention_days"]],
  12: ["matter-approve", ["matter", "version", "type"]],
  20: ["issue", ["type", "type_version", "commitment"]],
  30: ["grant", ["handle", "matter", "version", "masks", "not_after", "uses", "consent_digest"]],
  31: ["withdraw", ["secret"]],
  32: ["usage", ["handle", "matter", "version", "masks", "context_digest"]],
};

/** A decoded entry → {time, agency, kind, name, values}; null when it is not of an entry's shape. */
export function readEntry(value) {
  if (!Array.isArray(value) || value.length !== 3) return null;
  const [time, agency, record] = value;
  if (!isCount(time) || !isCount(agency) || !Array.isArray(record) || !isCount(record[0])) return null;
  const [kind, ...fields] = record;
  const [name, labels] = FIELDS[kind] ?? ["unknown", []];
  if (fields.length < labels.length || (kind !== 1 && labels.length > 0 && fields.length > labels.length)) return null;
  return { time, agency, kind, name, values: Object.fromEntries(labels.map((label, i) => [label, fields[i]])) };
}

const isCount = (value) => typeof value === "number" && value >= 0;
