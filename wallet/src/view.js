// Elements from code: no framework, no HTML strings, so nothing a server says can become markup.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "g", "circle", "rect", "defs", "linearGradient", "stop", "use", "line"]);

/** h("button", {class: "button", onclick: run, testid: "go"}, "Go") → Element. Null, false and undefined children vanish. */
export function h(tag, properties = {}, ...children) {
  const svg = SVG_TAGS.has(tag);
  const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "testid") element.dataset.testid = value;
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const ICONS = {
  back: "M15 5l-7 7 7 7",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6L6 18",
  cards: "M4 7h16v11H4zM4 11h16M8 15h4",
  scan: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M4 12h16",
  clock: "M12 4a8 8 0 100 16 8 8 0 000-16zM12 8v4.5l3 2",
  gear: "M4 7h9M17 7h3M4 12h3M11 12h9M4 17h11M19 17h1M15 5v4M9 10v4M17 15v4",
  shield: "M12 3l7 3v5c0 5-3 8.5-7 10-4-1.5-7-5-7-10V6z",
  warn: "M12 4l9 16H3zM12 10v4M12 17v.5",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5z",
  hidden: "M4 4l16 16M9.5 5.9A9.6 9.6 0 0112 5.5c6 0 9.5 6.5 9.5 6.5a17 17 0 01-3 3.7M6.5 7.5A16 16 0 002.5 12s3.5 6.5 9.5 6.5a9 9 0 004-1",
  key: "M12 12a4 4 0 11-8 0 4 4 0 018 0zM12 12h8.5M16.5 12v3M20.5 12v3.5",
  down: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  link: "M10 14l4-4M8.5 12L6 14.5a3.5 3.5 0 005 5l2.5-2.5M15.5 12l2.5-2.5a3.5 3.5 0 00-5-5L10.5 7",
  building: "M4 20h16M6 20V9l6-4 6 4v11M10 20v-4h4v4M9.5 11.5v.5M14.5 11.5v.5",
  dash: "M7 12h10",
};

/** A decorative line icon; the words beside it carry the meaning. */
export const icon = (name) =>
  h(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" },
    h("path", { d: ICONS[name], fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round", "stroke-linejoin": "round" }),
  );

/** Replaces what `target` holds. */
export const show = (target, ...children) => target.replaceChildren(...children.flat(Infinity).filter(Boolean));
