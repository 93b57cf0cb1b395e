import assert from "node:assert/strict";
import { test } from "node:test";

import { fromHex, hex } from "../src/bytes.js";
import { NotCanonical, decode, encode } from "../src/cbor.js";

// RFC 8949 appendix A, the rows whose types are permitted here.
const RFC_8949 = [
  [0, "00"], [1, "01"], [10, "0a"], [23, "17"], [24, "1818"], [25, "1819"], [100, "1864"], [1000, "1903e8"],
  [1000000, "1a000f4240"], [1000000000000, "1b000000e8d4a51000"], [18446744073709551615n, "1bffffffffffffffff"],
  [new Uint8Array(), "40"], [Uint8Array.of(1, 2, 3, 4), "4401020304"], [[], "80"], [[1, 2, 3], "83010203"],
  [[1, [2, 3], [4, 5]], "8301820203820405"],
];

test("RFC 8949 appendix A, both ways", () => {
  for (const [value, bytes] of RFC_8949) {
    assert.equal(hex(encode(value)), bytes);
    assert.deepEqual(decode(fromHex(bytes)), value);
  }
});

test("another encoding of the same value is refused", () => {
  for (const bytes of ["1817", "190018", "1a0000ffff", "1b00000000ffffffff", "5801ff", "9f01ff", "5f4101ff", "980101"]) {
    assert.throws(() => decode(fromHex(bytes)), NotCanonical, bytes);
  }
});

test("types outside the three are refused", () => {
  for (const bytes of ["20", "60", "a0", "c001", "f4", "f6", "f93c00", "fb3ff0000000000000", "1c", "ff"]) {
    assert.throws(() => decode(fromHex(bytes)), NotCanonical, bytes);
  }
});

test("bytes cut short, left over or too deep are refused", () => {
  for (const bytes of ["", "18", "4401", "8201", "0000", "9bffffffffffffffff", "5bffffffffffffffff", "81".repeat(7) + "01"]) {
    assert.throws(() => decode(fromHex(bytes)), NotCanonical, bytes);
  }
  assert.equal(hex(encode(decode(fromHex("81".repeat(6) + "01")))), "81".repeat(6) + "01");
});
