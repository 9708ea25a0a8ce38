// Elements, icons and links. Texts of notifications only ever become text nodes.

// Lucide 0.468, ISC licence: bell, check, circle, archive, circle-help, x, check-check.
const ICONS = {
  bell: ["M6 8a6 6 0 0 1 12 0c0 7 3 9 3 9H3s3-2 3-9", "M10.3 21a1.94 1.94 0 0 0 3.4 0"],
  check: ["M20 6 9 17l-5-5"],
  dot: ["M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8"],
  archive: ["M3 3h18v5H3z", "M5 8v11a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8", "M10 12h4"],
  help: ["M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20", "M9.09 9a3 3 0 0 1 5.83 1c0 2-3 3-3 3", "M12 17h.01"],
  close: ["M18 6 6 18", "m6 6 12 12"],
  checks: ["M18 6 7 17l-5-5", "m22 10-7.5 7.5L13 16"],
};

const BLOCKED_SCHEMES = new Set(["javascript:", "data:", "vbscript:", "blob:", "file:", "about:"]);

// element("button", {class: "x", onclick: f}, child, "text")
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const d of ICONS[name]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

// A link that may be followed, or null: http(s), and schemes of apps.
export function safe(link) {
  if (!link) return null;
  try {
    const url = new URL(link, document.baseURI);
    return BLOCKED_SCHEMES.has(url.protocol) ? null : url.href;
  } catch {
    return null;
  }
}
