// Builds wallet/dist from wallet/src: `node build.mjs` (or `--watch`). Nothing in dist is kept in the repository.
//
//   index.html, manifest.webmanifest, sw.js   served under /wallet/
//   app.js, site.css, receipt.js, quorum.js, icons   served under /static/wallet/
//
// One digest over the shell's files names the service worker's cache, so a phone takes a new shell as a whole.

import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { png, svg } from "./icons.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));
const dist = `${root}dist`;
const next = `${root}dist.next`;

await rm(next, { recursive: true, force: true });
await mkdir(next, { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: { app: "src/app.js", receipt: "src/receipt.js", quorum: "src/verifier.js", bls: "src/bls.js", scanner: "src/scanner.js" },
  outdir: next,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome107", "safari16", "firefox115"],
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
});
await build({
  absWorkingDir: root,
  entryPoints: { site: "src/wallet.css" },
  outdir: next,
  bundle: true,
  minify: true,
  target: ["chrome107", "safari16", "firefox115"],
  logLevel: "warning",
});
await writeFile(`${next}/icon.svg`, svg);
await writeFile(`${next}/icon-192.png`, png(192));
await writeFile(`${next}/icon-512.png`, png(512));
await writeFile(`${next}/icon-maskable-512.png`, png(512, { maskable: true }));
await cp(`${root}src/manifest.webmanifest`, `${next}/manifest.webmanifest`);

const shell = ["app.js", "bls.js", "scanner.js", "site.css", "icon.svg", "icon-192.png"];
const hash = createHash("sha256");
for (const name of shell) hash.update(await readFile(`${next}/${name}`));
for (const name of ["index.html", "sw.js"]) hash.update(await readFile(`${root}src/${name}`));
const version = hash.digest("hex").slice(0, 12);
for (const name of ["index.html", "sw.js"]) {
  const text = await readFile(`${root}src/${name}`, "utf8");
  await writeFile(`${next}/${name}`, text.replaceAll("BUILD_VERSION", version));
}
// Readers see the old folder or the new one, never half a build.
await rm(dist, { recursive: true, force: true });
await rename(next, dist);

for (const name of [...shell, "receipt.js", "quorum.js", "index.html", "sw.js"]) {
  const bytes = await readFile(`${dist}/${name}`);
  const kib = (n) => `${(n / 1024).toFixed(1)} KiB`.padStart(10);
  console.log(`${name.padEnd(22)}${kib(bytes.length)}  gzip ${kib(gzipSync(bytes).length)}`);
}
