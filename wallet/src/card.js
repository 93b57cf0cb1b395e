// The face of a certificate: a rosette and waves drawn by formula, in the manner of security printing. Decoration only:
// what makes a certificate genuine is checked elsewhere.

import { h } from "./view.js";

const WIDTH = 340;
const HEIGHT = 214;

/** The pattern for certificate type `number`: the same type always looks the same. */
export function guilloche(number) {
  const petals = 9 + (number % 5) * 2;
  const rosettes = Array.from({ length: 7 }, (_, i) => rosette(270, 74, 34 + i * 9, petals, (i * Math.PI) / 21));
  const waves = Array.from({ length: 9 }, (_, i) => wave(150 + i * 6.5, 9, 2 + (number % 3), i * 0.42));
  return h(
    "svg",
    { class: "guilloche", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true" },
    h("g", { fill: "none", stroke: "#fff", "stroke-width": "0.7" }, [...rosettes, ...waves].map((d) => h("path", { d }))),
  );
}

function rosette(cx, cy, radius, petals, phase) {
  return line(240, (t) => {
    const angle = t * 2 * Math.PI;
    const r = radius * (1 + 0.22 * Math.cos(petals * angle + phase) + 0.06 * Math.sin(3 * angle + phase));
    return [cx + r * Math.cos(angle), cy + r * Math.sin(angle)];
  });
}

function wave(y, height, periods, phase) {
  return line(90, (t) => [t * WIDTH, y + height * Math.sin(t * periods * 2 * Math.PI + phase) * (0.6 + 0.4 * Math.cos(t * 7))]);
}

function line(points, at) {
  const steps = Array.from({ length: points + 1 }, (_, i) => at(i / points).map((n) => n.toFixed(1)).join(" "));
  return `M${steps.join("L")}`;
}
