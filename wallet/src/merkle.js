// The Merkle tree of RFC 9162 §2.1 from a verifier's side. Sizes and indexes are plain numbers below 2^53.

import { sha256 } from "@noble/hashes/sha2.js";

import { concat, equal } from "./bytes.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const odd = (n) => n % 2 === 1;
const half = (n) => Math.floor(n / 2);

export const leafHash = (entry) => sha256(concat(LEAF, entry));
export const nodeHash = (left, right) => sha256(concat(NODE, left, right));
export const EMPTY_ROOT = sha256(new Uint8Array());

/** RFC 9162 §2.1.3.2: does `path` lead from the leaf at `index` to `root` of a tree of `size`? */
export function includes({ index, size, leaf, path, root }) {
  if (!(index < size)) return false;
  let fn = index;
  let sn = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      hash = nodeHash(sibling, hash);
      while (!odd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && equal(hash, root);
}

/** RFC 9162 §2.1.4.2: is the tree (`newSize`, `newRoot`) the tree (`oldSize`, `oldRoot`) with entries only added? */
export function extendsTree({ oldSize, oldRoot, newSize, newRoot, path }) {
  if (oldSize > newSize) return false;
  if (oldSize === newSize) return path.length === 0 && equal(oldRoot, newRoot);
  if (oldSize === 0) return path.length === 0 && equal(oldRoot, EMPTY_ROOT);
  if (path.length === 0) return false;
  const nodes = Number.isInteger(Math.log2(oldSize)) ? [oldRoot, ...path] : path;
  let fn = oldSize - 1;
  let sn = newSize - 1;
  while (odd(fn)) {
    fn = half(fn);
    sn = half(sn);
  }
  let oldHash = nodes[0];
  let newHash = nodes[0];
  for (const node of nodes.slice(1)) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      oldHash = nodeHash(node, oldHash);
      newHash = nodeHash(node, newHash);
      while (!odd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      newHash = nodeHash(newHash, node);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && equal(oldHash, oldRoot) && equal(newHash, newRoot);
}
