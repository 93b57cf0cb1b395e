// The ledger's size and root, read from its signed checkpoint (C2SP tlog-checkpoint: name, size, base64 root).
"use strict";

const figures = document.getElementById("ledger-figures");
const response = await fetch("/ledger/checkpoint").catch(() => null);
const checkpoint = await response?.text();
if (figures && response?.ok) {
  const [origin, size, root] = checkpoint.split("\n");
  const hex = [...atob(root)].map((c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  const put = (name, text) => (figures.querySelector(`[data-figure=${name}]`).textContent = text);
  put("size", Number(size).toLocaleString());
  put("root", hex.slice(0, 16));
  put("origin", origin);
  figures.hidden = false;
}
