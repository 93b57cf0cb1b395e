// The auditor's `verify` button: fetches a record's receipt and checks it here, against the ledger key
// the page was opened with. A receipt that proves another record than the row shows is a failure.
import { verifyReceipt } from "/static/wallet/receipt.js";

const rows = document.getElementById("ledger-rows");
const chinese = rows.dataset.lang.startsWith("zh");
const say = (zh, en) => (chinese ? zh : en);
const verified = new Map();

function show(row, outcome) {
  const status = row.querySelector("[role=status]");
  status.textContent = "";
  const mark = document.createElement("span");
  mark.className = `pill pill-${outcome.state}`;
  mark.textContent = outcome.text;
  status.append(mark);
}

async function check(row) {
  const index = Number(row.dataset.index);
  let text;
  try {
    const answer = await fetch(`/ledger/receipts/${index}`, { cache: "no-store" });
    if (!answer.ok) return { state: "warn", text: say("？暂时取不到证明", "? proof not available now") };
    text = await answer.text();
  } catch {
    return { state: "warn", text: say("？网络不通", "? no connection") };
  }
  try {
    const proof = await verifyReceipt(text, rows.dataset.vkey);
    const same =
      Number(proof.index) === index &&
      (proof.name ?? proof.kind) === row.dataset.kind &&
      Number(proof.agency) === Number(row.dataset.agency) &&
      Number(proof.time) === Number(row.dataset.time);
    if (!same) return { state: "bad", text: say("✕ 证明的是另一条记录", "✕ proves another record") };
    return { state: "ok", text: say(`✓ 已核对（账本 ${proof.size} 条）`, `✓ verified (ledger of ${proof.size})`) };
  } catch {
    return { state: "bad", text: say("✕ 证明不成立", "✕ the proof does not hold") };
  }
}

rows.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-verify]");
  if (!button) return;
  const row = button.closest("tr");
  button.setAttribute("aria-busy", "true");
  const outcome = await check(row);
  button.removeAttribute("aria-busy");
  verified.set(row.dataset.index, outcome);
  show(row, outcome);
});

// Rows are replaced when the ledger grows: what was checked stays marked, what is new lights up once.
let newest = Math.max(-1, ...[...rows.querySelectorAll("tr[data-index]")].map((row) => Number(row.dataset.index)));
document.addEventListener("htmx:afterSwap", () => {
  for (const row of rows.querySelectorAll("tr[data-index]")) {
    const outcome = verified.get(row.dataset.index);
    if (outcome) show(row, outcome);
    if (Number(row.dataset.index) > newest) row.classList.add("fresh");
  }
  newest = Math.max(newest, ...[...rows.querySelectorAll("tr[data-index]")].map((row) => Number(row.dataset.index)));
});
