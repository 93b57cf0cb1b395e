// Checks the entry's receipt here, under the key in the field (its own reader may put another there), and marks how far it
// held. A receipt that proves another entry than the page shows is a failure.
import { ReceiptError, verifyReceipt } from "/static/wallet/receipt.js";

const proof = document.getElementById("proof");
const field = document.getElementById("vkey");
const receipt = document.getElementById("receipt").textContent;
const steps = [...proof.querySelectorAll("[data-checks] > li")];

// The check at which a refusal with this code is found.
const FORM = 0;
const SIGNATURE = 1;
const PATH = 2;
const CONTENT = 3;
const FOUND_AT = { "receipt-malformed": FORM, "inclusion-wrong": PATH, "entry-malformed": CONTENT };

function check() {
  try {
    const { index, name, agency, time } = verifyReceipt(receipt, field.value);
    const shown = proof.dataset;
    const same = String(index) === shown.index && name === shown.kind && String(agency) === shown.agency && String(time) === shown.time;
    return same ? { held: steps.length } : { held: CONTENT, code: "another-entry" };
  } catch (error) {
    if (!(error instanceof ReceiptError)) throw error;
    return { held: FOUND_AT[error.code] ?? SIGNATURE, code: error.code };
  }
}

function show({ held, code }) {
  steps.forEach((step, at) => (step.className = at < held ? "pass" : at === held ? "fail" : "na"));
  const word = code ? "bad" : "ok";
  const verdict = proof.querySelector("[data-verdict]");
  verdict.className = `verdict verdict-${word}`;
  verdict.dataset.result = word;
  for (const text of verdict.querySelectorAll("[data-say]")) text.hidden = text.dataset.say !== word;
  verdict.querySelector("[data-code]").textContent = code ?? "";
}

field.addEventListener("input", () => show(check()));
show(check());
