// How it looks, in light and dark: a constructed sheet, so that no CSP is loosened.

const LIGHT = {
  raised: "#ffffff", sunken: "#f3f2ee", ink: "#1b2422", soft: "#4b5a56", faint: "#5f6e69", line: "#e3e6e1", edge: "#8b9793",
  accent: "#0f766e", "accent-wash": "#e6f2f0", "on-accent": "#ffffff", call: "#b45309", danger: "#b42318",
  shadow: "0 1px 2px rgb(27 36 34 / 6%), 0 12px 32px rgb(27 36 34 / 12%)",
};
const DARK = {
  raised: "#171e1c", sunken: "#0c100f", ink: "#e8efec", soft: "#a9b8b3", faint: "#8f9e99", line: "#2a3431", edge: "#66756f",
  accent: "#2dd4bf", "accent-wash": "#12302c", "on-accent": "#06211e", call: "#f59e0b", danger: "#f97066",
  shadow: "0 1px 2px rgb(0 0 0 / 40%), 0 12px 32px rgb(0 0 0 / 50%)",
};
const colours = (set) => Object.entries(set).map(([name, value]) => `--_${name}:var(--crl-${name},${value});`).join("");

const SHEET = `
:host { ${colours(LIGHT)} display:inline-block; position:relative; color:var(--_ink);
  font:400 1rem/1.5 var(--crl-font, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif);
  text-align:start; -webkit-text-size-adjust:100%; }
@media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { ${colours(DARK)} } }
:host([theme="dark"]) { ${colours(DARK)} }
:host([hidden]) { display:none; }
* { box-sizing:border-box; }
[hidden] { display:none !important; }
button, a { font:inherit; color:inherit; }
button { background:none; border:0; padding:0; margin:0; cursor:pointer; text-align:start; }
:focus-visible { outline:2px solid var(--_accent); outline-offset:2px; }
svg { inline-size:1.25rem; block-size:1.25rem; fill:none; stroke:currentColor; stroke-width:1.75; stroke-linecap:round;
  stroke-linejoin:round; flex:none; display:block; }
.unseen { position:absolute; inline-size:1px; block-size:1px; overflow:hidden; clip-path:inset(50%); white-space:nowrap; }
.bell { position:relative; inline-size:2.75rem; block-size:2.75rem; display:grid; place-items:center;
  border-radius:999px; color:var(--crl-bell, var(--_ink)); }
.bell:hover, .bell[aria-expanded="true"] { background:var(--_accent-wash); }
.badge { position:absolute; inset-block-start:.25rem; inset-inline-end:.125rem; min-inline-size:1.25rem; block-size:1.25rem;
  padding-inline:.3rem; border-radius:999px; background:var(--_call); color:var(--_raised); font-size:.75rem; font-weight:600;
  line-height:1.25rem; text-align:center; font-variant-numeric:tabular-nums; }
.panel { position:absolute; z-index:1000; inset-block-start:calc(100% + .5rem); inset-inline-end:0; inline-size:25rem;
  max-inline-size:calc(100vw - 2rem); max-block-size:min(40rem, calc(100vh - 6rem)); display:flex; flex-direction:column;
  background:var(--_raised); border-radius:10px; box-shadow:var(--_shadow), 0 0 0 1px var(--_line); overflow:hidden; }
.panel.to-end { inset-inline-end:auto; inset-inline-start:0; }
.panel:focus { outline:none; }
header { display:flex; align-items:center; gap:.25rem; padding-block:.5rem 0; padding-inline:1rem .5rem; }
h2 { font-size:1rem; font-weight:600; letter-spacing:-.01em; margin:0; flex:1; }
.icon { inline-size:2.75rem; block-size:2.75rem; display:grid; place-items:center; border-radius:8px; color:var(--_soft); }
.icon:hover { background:var(--_accent-wash); color:var(--_ink); }
.tabs { display:flex; gap:1rem; padding-inline:1rem; border-block-end:1px solid var(--_line); }
[role="tab"] { min-block-size:2.75rem; min-inline-size:2.75rem; text-align:start; font-size:.875rem; color:var(--_soft); border-block-end:2px solid transparent;
  font-weight:500; }
[role="tab"][aria-selected="true"] { color:var(--_ink); border-color:var(--_accent); }
[role="tab"] span { font-variant-numeric:tabular-nums; color:var(--_faint); }
.body { overflow-y:auto; overscroll-behavior:contain; flex:1; min-block-size:7rem; }
ul { list-style:none; margin:0; padding:0; }
li { position:relative; display:grid; grid-template-columns:.5rem minmax(0,1fr); column-gap:.75rem;
  padding-block:.75rem .5rem; padding-inline:1rem .75rem; border-block-end:1px solid var(--_line); }
li:hover, li:focus-within { background:var(--_sunken); }
li.fresh { animation:arrive .16s ease-out; }
@keyframes arrive { from { opacity:0; transform:translateY(-.25rem); } }
.mark { inline-size:.5rem; block-size:.5rem; border-radius:999px; margin-block-start:.5rem; }
.new .mark { background:var(--_call); }
.main { min-inline-size:0; }
.open { display:block; inline-size:100%; text-decoration:none; border-radius:4px; }
a.open::after, button.open::after { content:""; position:absolute; inset:0; }
.title, .text { text-align:-webkit-match-parent; text-align:match-parent; }
.title { display:block; font-size:.9375rem; overflow-wrap:anywhere; }
.new .title { font-weight:600; }
.text { display:-webkit-box; -webkit-line-clamp:3; -webkit-box-orient:vertical; overflow:hidden; font-size:.875rem;
  color:var(--_soft); overflow-wrap:anywhere; white-space:pre-line; }
time { font-size:.8125rem; color:var(--_faint); position:relative; }
.line { display:flex; align-items:center; justify-content:space-between; min-block-size:2rem; }
.acts { display:flex; position:relative; opacity:0; }
li:hover .acts, li:focus-within .acts { opacity:1; }
@media (hover: none) { .acts { opacity:1; } }
.acts .icon { inline-size:2.25rem; block-size:2rem; }
.acts svg { inline-size:1rem; block-size:1rem; }
.why { font-size:.8125rem; color:var(--_soft); margin:0 0 .25rem; position:relative; overflow-wrap:anywhere; }
.actions { display:flex; flex-wrap:wrap; gap:.5rem; margin-block:.5rem .25rem; position:relative; inline-size:fit-content; }
.button { display:inline-flex; align-items:center; gap:.375rem; min-block-size:2.25rem; padding-inline:.75rem; border-radius:8px;
  border:1px solid var(--_edge); font-size:.875rem; font-weight:500; text-decoration:none; }
.button:hover { background:var(--_accent-wash); }
.button.primary { background:var(--_accent); border-color:var(--_accent); color:var(--_on-accent); }
.button[aria-disabled="true"] { background:none; border-color:var(--_line); color:var(--_faint); }
.note { padding:2rem 1.5rem; text-align:center; color:var(--_soft); font-size:.875rem; }
.note strong { display:block; color:var(--_ink); font-size:1rem; font-weight:600; }
.note .button { margin-block-start:1rem; }
.older { display:flex; justify-content:center; padding:.75rem; }
footer { border-block-start:1px solid var(--_line); font-size:.875rem; padding-inline:1rem; display:flex; align-items:center;
  justify-content:space-between; gap:1rem; min-block-size:2.75rem; margin-block-start:-1px; }
footer a, .undo { display:inline-flex; align-items:center; min-block-size:2.75rem; color:var(--_accent); font-weight:500;
  text-decoration:none; }
footer a:hover, .undo:hover { text-decoration:underline; }
.state { padding:.5rem 1rem; font-size:.8125rem; color:var(--_soft); background:var(--_sunken); margin:0; }
@media (max-width: 30rem) {
  .panel, .panel.to-end { position:fixed; inset:0; inline-size:auto; max-inline-size:none; max-block-size:none;
    border-radius:0; box-shadow:none; }
  .acts .icon { inline-size:2.75rem; block-size:2.75rem; }
  .acts { margin-block:-.375rem; }
}
@media (prefers-reduced-motion: reduce) { li.fresh { animation:none; } }
@media (forced-colors: active) { .badge, .panel { border:1px solid CanvasText; } .new .mark { background:Highlight; } }
`;

let sheet;
export function styles() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(SHEET);
  }
  return sheet;
}
