import assert from "node:assert/strict";
import { test } from "node:test";

import { parseRoute, routeOf } from "../src/link.js";
import { webUrl, wellKnown } from "../src/vci.js";

const HERE = "https://wallet.example";

test("standard schemes and our own address become routes", () => {
  assert.equal(routeOf("openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fa", HERE), "#offer?credential_offer_uri=https%3A%2F%2Fa");
  assert.equal(routeOf(" openid4vp://?client_id=x&request_uri=y ", HERE), "#present?client_id=x&request_uri=y");
  assert.equal(routeOf(`${HERE}/wallet/#activate?code=AB-12`, HERE), "#activate?code=AB-12");
});

test("other codes are not for this wallet", () => {
  for (const text of ["", "hello", "javascript:alert(1)", "https://evil.example/wallet/#offer?x=1", `${HERE}/other/#offer?x=1`, `${HERE}/wallet/#settings`]) {
    assert.equal(routeOf(text, HERE), null, text);
  }
});

test("a route has a name, an id and parameters", () => {
  const { name, id, params } = parseRoute("#certificates/abc?x=1%262");
  assert.deepEqual([name, id, params.get("x")], ["certificates", "abc", "1&2"]);
  assert.equal(parseRoute("").name, "home");
});

test("the well-known part goes between host and path", () => {
  assert.equal(wellKnown("https://a.example/agencies/psb", "openid-credential-issuer"), "https://a.example/.well-known/openid-credential-issuer/agencies/psb");
  assert.equal(wellKnown("https://a.example", "openid-credential-issuer"), "https://a.example/.well-known/openid-credential-issuer");
});

test("addresses are https, or http on loopback, and carry no user", () => {
  for (const url of ["https://a.example/x", "http://localhost:8000/x", "http://127.0.0.1/x"]) assert.equal(webUrl(url, "bad"), url);
  for (const url of ["http://a.example/", "ftp://a", "data:text/plain,x", "https://a@b.example/", "", null]) {
    assert.throws(() => webUrl(url, "bad"), { code: "bad" });
  }
});
