// The wallet's icon, drawn once as geometry: an SVG for browsers, PNGs (rasterised here) for home screens.

import { crc32, deflateSync } from "node:zlib";

const BLUE = [26, 79, 139];
const WHITE = [255, 255, 255];
const PALE = [174, 199, 228];

export const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96">
<rect width="96" height="96" rx="20" fill="#1a4f8b"/>
<rect x="20" y="27" width="56" height="42" rx="6" fill="#fff"/>
<path d="M28 38h24M28 46h16" stroke="#aec7e4" stroke-width="4" stroke-linecap="round"/>
<path d="M44 57l7 7 15-17" fill="none" stroke="#1a4f8b" stroke-width="6" stroke-linecap="round" stroke-linejoin="round"/>
</svg>
`;

// Signed distances (negative inside), in the SVG's 96-unit square; later shapes lie over earlier ones.
const SHAPES = [
  [roundedBox(48, 48, 28, 21, 6), WHITE],
  [segment(28, 38, 52, 38, 2), PALE],
  [segment(28, 46, 44, 46, 2), PALE],
  [segment(44, 57, 51, 64, 3), BLUE],
  [segment(51, 64, 66, 47, 3), BLUE],
];

/** A square PNG; `maskable` icons bleed to the edge, because launchers cut their own shape. */
export function png(size, { maskable = false } = {}) {
  const background = maskable ? () => -1 : roundedBox(48, 48, 48, 48, 20);
  const scale = maskable ? 1.25 : 1;
  const rows = [];
  for (let y = 0; y < size; y++) {
    const row = Buffer.alloc(1 + size * 4);
    for (let x = 0; x < size; x++) {
      const unit = 96 / size;
      const px = (x + 0.5) * unit;
      const py = (y + 0.5) * unit;
      const alpha = coverage(background(px, py), unit);
      let colour = BLUE;
      for (const [distance, paint] of SHAPES) {
        const at = distance(48 + (px - 48) * scale, 48 + (py - 48) * scale);
        colour = mix(colour, paint, coverage(at, unit * scale));
      }
      row.set([...colour.map(Math.round), Math.round(alpha * 255)], 1 + x * 4);
    }
    rows.push(row);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(rows), { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const mix = (a, b, share) => a.map((channel, i) => channel + (b[i] - channel) * share);
const coverage = (distance, unit) => Math.min(1, Math.max(0, 0.5 - distance / unit));

function roundedBox(cx, cy, halfWidth, halfHeight, radius) {
  return (x, y) => {
    const dx = Math.abs(x - cx) - halfWidth + radius;
    const dy = Math.abs(y - cy) - halfHeight + radius;
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
  };
}

function segment(x1, y1, x2, y2, radius) {
  return (x, y) => {
    const along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2);
    const t = Math.min(1, Math.max(0, along));
    return Math.hypot(x - x1 - t * (x2 - x1), y - y1 - t * (y2 - y1)) - radius;
  };
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "ascii"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}
