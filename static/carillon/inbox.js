// <carillon-inbox>: the bell, its badge and the list behind it. One file, no framework, no build; docs/inbox.md tells how
// to embed it. Texts of notifications only ever become text nodes, and styles a constructed sheet: no CSP is loosened.

const WORDS = {
  en: {
    notifications: "Notifications",
    unreadCount: (n) => (n === 1 ? "1 unread" : `${n} unread`),
    unread: "Unread",
    all: "All",
    readAll: "Mark all as read",
    read: "Mark as read",
    unreadAgain: "Mark as unread",
    archive: "Archive",
    archived: "Archived",
    undo: "Undo",
    why: "Why am I getting this?",
    more: "Show older",
    settings: "Notification settings",
    close: "Close",
    arrived: (title) => `New notification: ${title}`,
    emptyUnread: "Nothing unread",
    emptyUnreadHint: "What comes next rings here.",
    emptyAll: "Nothing here yet",
    emptyAllHint: "When something happens that concerns you, it will appear here.",
    loading: "Loading…",
    failed: "Your notifications cannot be reached.",
    retry: "Try again",
    reconnecting: "Reconnecting. New notifications may be a little late.",
    signedOut: "You are signed out. Sign in again to see your notifications.",
    done: "Done",
  },
  de: {
    notifications: "Benachrichtigungen",
    unreadCount: (n) => `${n} ungelesen`,
    unread: "Ungelesen",
    all: "Alle",
    readAll: "Alle als gelesen markieren",
    read: "Als gelesen markieren",
    unreadAgain: "Als ungelesen markieren",
    archive: "Archivieren",
    archived: "Archiviert",
    undo: "Rückgängig",
    why: "Warum bekomme ich das?",
    more: "Ältere zeigen",
    settings: "Benachrichtigungseinstellungen",
    close: "Schließen",
    arrived: (title) => `Neue Benachrichtigung: ${title}`,
    emptyUnread: "Nichts ungelesen",
    emptyUnreadHint: "Was als Nächstes kommt, meldet sich hier.",
    emptyAll: "Noch nichts da",
    emptyAllHint: "Wenn etwas geschieht, das Sie betrifft, erscheint es hier.",
    loading: "Wird geladen …",
    failed: "Ihre Benachrichtigungen sind nicht erreichbar.",
    retry: "Erneut versuchen",
    reconnecting: "Verbindung wird wiederhergestellt. Neues kann etwas später kommen.",
    signedOut: "Sie sind abgemeldet. Melden Sie sich an, um Ihre Benachrichtigungen zu sehen.",
    done: "Erledigt",
  },
};

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

const PAGE = 20;
const VIEWED_MS = 1000; // in view for this long, an item counts as read
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30000;
const PING_MS = 25000;
const PONG_MS = 10000;
const POLL_MS = 30000; // while there is no socket
const CHECK_MS = 120000; // while there is one: a hub that is down says nothing
const UNDO_MS = 8000;
const BLOCKED_SCHEMES = new Set(["javascript:", "data:", "vbscript:", "blob:", "file:", "about:"]);

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
function styles() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(SHEET);
  }
  return sheet;
}

// element("button", {class: "x", onclick: f}, child, "text")
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function icon(name) {
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
function safe(link) {
  if (!link) return null;
  try {
    const url = new URL(link, document.baseURI);
    return BLOCKED_SCHEMES.has(url.protocol) ? null : url.href;
  } catch {
    return null;
  }
}

const jitter = (ms) => ms * (0.5 + Math.random() / 2);

class HttpError extends Error {
  constructor(status) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

// What the server knows, kept up to date: over the socket while there is one, else by asking. Says so by `changed`.
class Feed {
  constructor(host, changed) {
    this.host = host;
    this.changed = changed;
    this.items = new Map();
    this.counts = { unread: 0, unseen: 0, total: 0 };
    this.countsSeq = -1;
    this.seq = null; // up to here we know every change
    this.state = "connecting"; // live, reconnecting, signed-out
    this.retries = 0;
    this.timers = {};
  }

  get api() {
    return new URL((this.host.getAttribute("api") || "/api/v1").replace(/\/$/, ""), document.baseURI).href;
  }

  get socketUrl() {
    const url = new URL(this.host.getAttribute("socket") || new URL("/ws/inbox/", this.api), document.baseURI);
    url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
    return url.href;
  }

  start() {
    this.stopped = false;
    this.connect();
  }

  stop() {
    this.stopped = true;
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    this.leave();
  }

  restart() {
    this.stop();
    Object.assign(this, { token: undefined, seq: null, countsSeq: -1, retries: 0, renewed: false });
    this.items.clear();
    this.start();
  }

  after(name, ms, act) {
    clearTimeout(this.timers[name]);
    this.timers[name] = setTimeout(act, ms);
  }

  setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.changed({ state });
  }

  // --- Who we are

  async bearer() {
    if (this.token === undefined) {
      const url = this.host.getAttribute("token-url");
      if (this.host.hasAttribute("token")) this.token = this.host.getAttribute("token");
      else if (url) {
        const answer = await fetch(url, { credentials: "include", cache: "no-store", headers: { Accept: "application/json" } });
        if (!answer.ok) throw new HttpError(answer.status);
        this.token = (await answer.json()).token;
      } else this.token = null;
    }
    return this.token;
  }

  // A token that is no longer taken is fetched anew, once in a row; without token-url the page has to give another.
  renew() {
    if (this.host.hasAttribute("token-url") && !this.renewed) {
      this.token = undefined;
      return (this.renewed = true);
    }
    this.setState("signed-out");
    this.host.dispatchEvent(new CustomEvent("carillon-signed-out", { bubbles: true, composed: true }));
    return false;
  }

  // --- HTTP

  async ask(path, { method = "GET", body } = {}) {
    const token = await this.bearer();
    const headers = { Accept: "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    else if (method !== "GET") headers["X-CSRFToken"] = csrf();
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(this.api + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: token ? "omit" : "same-origin",
      cache: "no-store",
    });
    if (answer.status === 401 && this.renew()) return this.ask(path, { method, body });
    if (!answer.ok) throw new HttpError(answer.status);
    this.renewed = false;
    return answer.json();
  }

  async list(status, cursor) {
    const query = new URLSearchParams({ limit: PAGE });
    if (status) query.set("status", status);
    if (cursor) query.set("cursor", cursor);
    const page = await this.ask(`/inbox?${query}`);
    for (const item of page.results) this.put(item);
    return page;
  }

  // What changed since the last number; without one, only the counts.
  async catchUp() {
    const since = this.seq;
    const counted = await this.ask("/inbox/counts");
    this.count(counted, counted.seq);
    if (since === null || counted.seq < since) {
      this.seq = counted.seq;
      this.changed({ resync: since !== null });
    } else if (counted.seq > since) {
      const page = await this.ask(`/inbox?since=${since}&limit=200`);
      if (page.next) this.changed({ resync: true });
      for (const item of page.results) this.take(item, { created: !item.read_at && !this.items.has(item.id) });
      this.seq = Math.max(this.seq, page.next ? counted.seq : 0, ...page.results.map((item) => item.seq));
    }
  }

  poll(ms) {
    this.after("poll", jitter(ms), async () => {
      if (document.visibilityState === "visible" && this.state !== "signed-out") await this.catchUp().catch(() => {});
      if (!this.stopped) this.poll(this.state === "live" ? CHECK_MS : POLL_MS);
    });
  }

  // --- Socket

  async connect() {
    this.leave();
    let token;
    try {
      token = await this.bearer();
    } catch (error) {
      if (error.status === 401 || error.status === 403) this.setState("signed-out");
      else this.comeBack();
      return;
    }
    if (this.stopped) return;
    let socket;
    try {
      socket = new WebSocket(this.socketUrl);
    } catch {
      // The page's CSP forbids it, or the URL is none: asking may still work.
      this.comeBack();
      return;
    }
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", token, since: this.seq }));
    socket.onmessage = (event) => this.socket === socket && this.hear(JSON.parse(event.data));
    socket.onclose = (event) => this.socket === socket && this.closed(event.code);
    // A socket that the page's CSP blocks fails with this alone in Chromium, without a close.
    socket.onerror = () => this.socket === socket && this.closed(1006);
  }

  leave() {
    const socket = this.socket;
    this.socket = null;
    clearTimeout(this.timers.ping);
    clearTimeout(this.timers.pong);
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close(1000);
  }

  closed(code) {
    this.leave();
    if (code === 4401) {
      if (this.renew()) this.connect();
      return;
    }
    if (code === 4403) console.warn("carillon-inbox: this page's origin is not allowed. See EMBED_ORIGINS.");
    this.comeBack();
  }

  comeBack() {
    this.setState("reconnecting");
    if (this.retries === 1) this.poll(FIRST_RETRY_MS);
    const wait = Math.min(FIRST_RETRY_MS * 2 ** this.retries++, LAST_RETRY_MS);
    this.after("connect", jitter(wait), () => this.connect());
  }

  // The tab is looked at again, or the network is back.
  wake() {
    if (this.stopped || this.socket?.readyState === WebSocket.OPEN) return;
    if (this.state === "signed-out") Object.assign(this, { token: undefined, renewed: false });
    this.retries = 0;
    this.connect();
  }

  ping() {
    this.after("ping", PING_MS, () => {
      this.say({ type: "ping" });
      this.after("pong", PONG_MS, () => {
        this.leave();
        this.comeBack();
      });
    });
  }

  say(frame) {
    if (this.state !== "live" || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  hear(frame) {
    clearTimeout(this.timers.pong);
    this.ping();
    if (frame.type === "ready") this.ready(frame);
    else if (frame.type === "counts") this.count(frame.counts, frame.seq ?? this.countsSeq);
    else if (frame.type === "resync") this.resync();
    else if (frame.type === "item.created" || frame.type === "item.updated") {
      if (this.seq !== null && frame.item.seq > this.seq + 1) this.gap();
      else this.seq = Math.max(this.seq ?? 0, frame.item.seq);
      this.take(frame.item, { created: frame.type === "item.created" });
    }
  }

  ready(frame) {
    this.retries = 0;
    this.renewed = false;
    if (this.seq === null) this.seq = frame.seq;
    this.setState("live");
    this.count(frame.counts, frame.seq);
    this.poll(CHECK_MS);
  }

  // Something passed us by: ask, once for a burst of frames.
  gap() {
    this.after("gap", jitter(200), () => this.catchUp().catch(() => {}));
  }

  // Too much to be told: everybody is told this at once, so ask at a time of one's own.
  resync() {
    this.after("gap", Math.random() * 2000, async () => {
      Object.assign(this, { seq: null, countsSeq: -1 });
      await this.catchUp().catch(() => {});
      this.changed({ resync: true });
    });
  }

  // --- What we know

  put(item) {
    const known = this.items.get(item.id);
    if (!known || known.seq <= item.seq) this.items.set(item.id, item);
  }

  take(item, { created }) {
    const isNew = created && !this.items.has(item.id) && !item.read_at;
    this.put(item);
    this.changed({ items: true, arrived: isNew ? item : null });
  }

  count(counts, seq) {
    if (seq < this.countsSeq) return;
    this.countsSeq = seq;
    this.counts = { unread: counts.unread, unseen: counts.unseen, total: counts.total };
    this.changed({ counts: true });
  }

  // --- What the person does

  async mark(act, id, extra = {}) {
    if (this.say({ type: act, id, ...extra })) return;
    const item = await this.ask(`/inbox/${id}/${act}`, { method: "POST", body: extra });
    this.take(item, { created: false });
    await this.catchUp();
  }

  async markAll(act) {
    if (this.say({ type: `${act}-all` })) return;
    await this.ask(`/inbox/${act}-all`, { method: "POST", body: {} });
    await this.catchUp();
  }
}

function csrf() {
  const found = /(?:^|; )(?:__Host-)?csrftoken=([^;]+)/.exec(document.cookie);
  return found ? decodeURIComponent(found[1]) : "";
}

class CarillonInbox extends HTMLElement {
  static observedAttributes = ["api", "socket", "token", "token-url", "locale", "settings-url"];

  #feed = new Feed(this, (change) => this.#changed(change));
  #rows = new Map();
  #tab = "unread";
  #pages = { unread: {}, all: {} };
  #kept = new Set(); // read while the panel is open: they stay in the unread list until it closes,
  #glowing = new Set(); // with their dot, if they were read by being looked at
  #putBack = new Set(); // marked as unread by hand: looking at them does not undo that
  #viewing = new Map();
  #parts = null;

  connectedCallback() {
    if (!this.#parts) this.#build();
    this.#listeners = new AbortController();
    const options = { signal: this.#listeners.signal };
    document.addEventListener("pointerdown", (event) => this.isOpen && !event.composedPath().includes(this) && this.close(), options);
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#feed.wake(), options);
    addEventListener("online", () => this.#feed.wake(), options);
    addEventListener("pageshow", (event) => event.persisted && this.#feed.restart(), options);
    this.#clock = setInterval(() => this.#tellTimes(), 30000);
    this.#feed.start();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    clearInterval(this.#clock);
    this.#feed.stop();
    this.close();
  }

  attributeChangedCallback(name, before, now) {
    if (!this.#parts || before === now) return;
    if (name === "locale" || name === "settings-url") {
      this.#build();
      this.#draw();
    } else if (this.isConnected) {
      this.#pages = { unread: {}, all: {} };
      this.#feed.restart();
      if (this.isOpen) this.#load();
    }
  }

  #listeners;
  #clock;
  #undoTimer;

  get isOpen() {
    return Boolean(this.#parts) && !this.#parts.panel.hidden;
  }

  get counts() {
    return { ...this.#feed.counts };
  }

  open() {
    if (this.isOpen) return;
    const { panel, bell } = this.#parts;
    panel.classList.remove("to-end");
    panel.hidden = false;
    bell.setAttribute("aria-expanded", "true");
    const box = panel.getBoundingClientRect();
    panel.classList.toggle("to-end", box.left < 0 || box.right > document.documentElement.clientWidth);
    panel.focus({ preventScroll: true });
    this.#draw();
    this.#load();
  }

  close() {
    if (!this.isOpen) return;
    const { panel, bell } = this.#parts;
    const hadFocus = this.shadowRoot.activeElement && panel.contains(this.shadowRoot.activeElement);
    panel.hidden = true;
    bell.setAttribute("aria-expanded", "false");
    for (const set of [this.#kept, this.#glowing, this.#putBack]) set.clear();
    this.#viewed.disconnect();
    for (const timer of this.#viewing.values()) clearTimeout(timer);
    this.#viewing.clear();
    for (const row of this.#rows.values()) row.element.remove();
    this.#rows.clear();
    if (hadFocus && this.isConnected) bell.focus();
  }

  // --- Words

  get #locale() {
    return this.getAttribute("locale") || this.closest("[lang]")?.lang || navigator.language || "en";
  }

  get #words() {
    return WORDS[this.#locale.toLowerCase().split("-")[0]] ?? WORDS.en;
  }

  #ago(moment) {
    const seconds = Math.min(0, (new Date(moment) - Date.now()) / 1000);
    const format = new Intl.RelativeTimeFormat(this.#locale, { numeric: "auto", style: "short" });
    for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
      if (-seconds >= size) return format.format(Math.trunc(seconds / size), unit);
    }
    return format.format(0, "second");
  }

  #exactly(moment) {
    const parts = { weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "numeric", minute: "2-digit" };
    return new Intl.DateTimeFormat(this.#locale, { ...parts, timeZoneName: "short" }).format(new Date(moment));
  }

  // --- Drawing

  #build() {
    const words = this.#words;
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styles()];
    const wasOpen = this.isOpen;
    const tab = (name) =>
      element("button", { type: "button", role: "tab", id: name, "aria-controls": "body", onclick: () => this.#show(name) }, words[name], " ", element("span"));
    const p = {
      badge: element("span", { class: "badge", part: "badge", "aria-hidden": "true", hidden: true }),
      live: element("div", { class: "unseen", role: "status", "aria-live": "polite" }),
      unread: tab("unread"),
      all: tab("all"),
      list: element("ul", { role: "list" }),
      note: element("div", { class: "note", hidden: true }),
      older: element("div", { class: "older", hidden: true }, element("button", { type: "button", class: "button", onclick: () => this.#load(true) }, words.more)),
      state: element("p", { class: "state", role: "status", hidden: true }),
      foot: element("footer", { hidden: true }),
    };
    p.bell = element("button", { type: "button", class: "bell", part: "bell", "aria-haspopup": "dialog", "aria-expanded": String(wasOpen), onclick: () => (this.isOpen ? this.close() : this.open()) }, icon("bell"), p.badge);
    p.tabs = element("div", { class: "tabs", role: "tablist", "aria-label": words.notifications, onkeydown: (event) => this.#arrowTabs(event) }, p.unread, p.all);
    p.body = element("div", { class: "body", role: "tabpanel", id: "body" }, p.list, p.note, p.older);
    p.panel = element(
      "div",
      { class: "panel", part: "panel", role: "dialog", "aria-label": words.notifications, tabindex: "-1", hidden: !wasOpen, onkeydown: (event) => this.#keys(event) },
      element(
        "header",
        {},
        element("h2", {}, words.notifications),
        element("button", { type: "button", class: "icon", "data-act": "read-all", title: words.readAll, "aria-label": words.readAll, onclick: () => this.#readAll() }, icon("checks")),
        element("button", { type: "button", class: "icon", title: words.close, "aria-label": words.close, onclick: () => this.close() }, icon("close")),
      ),
      p.tabs,
      p.state,
      p.body,
      p.foot,
    );
    this.#rows.clear();
    this.#parts = p;
    root.replaceChildren(p.bell, p.panel, p.live);
    this.#viewed.disconnect();
    this.#foot();
    this.#drawCounts();
  }

  #draw() {
    this.#drawCounts();
    this.#drawState();
    if (!this.isOpen) return;
    const p = this.#parts;
    for (const name of ["unread", "all"]) {
      p[name].setAttribute("aria-selected", String(name === this.#tab));
      p[name].tabIndex = name === this.#tab ? 0 : -1;
    }
    p.body.setAttribute("aria-labelledby", this.#tab);
    const page = this.#pages[this.#tab];
    const items = this.#visible();
    this.#drawRows(items);
    p.older.hidden = !page.next || !items.length;
    this.#drawNote(items.length ? null : page);
  }

  #visible() {
    const page = this.#pages[this.#tab];
    if (!page.loaded) return [];
    // Older than the last page are items that came to us another way: they wait for theirs.
    return [...this.#feed.items.values()]
      .filter((item) => !item.archived_at && (this.#tab === "all" || !item.read_at || this.#kept.has(item.id)))
      .filter((item) => !page.next || item.id >= page.last)
      .sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  #drawCounts() {
    const p = this.#parts;
    const { unread } = this.#feed.counts;
    p.badge.textContent = unread > 99 ? "99+" : String(unread);
    p.badge.hidden = unread === 0;
    const words = this.#words;
    p.bell.setAttribute("aria-label", unread ? `${words.notifications}, ${words.unreadCount(unread)}` : words.notifications);
    p.unread.lastChild.textContent = unread ? String(unread) : "";
  }

  #drawState() {
    const text = { reconnecting: this.#words.reconnecting, "signed-out": this.#words.signedOut }[this.#feed.state];
    this.#parts.state.textContent = text ?? "";
    this.#parts.state.hidden = !text;
  }

  #drawNote(page) {
    const { note } = this.#parts;
    note.hidden = !page;
    if (!page) return;
    const words = this.#words;
    if (page.failed) {
      note.replaceChildren(element("strong", {}, words.failed), element("button", { type: "button", class: "button", onclick: () => this.#load() }, words.retry));
    } else if (!page.loaded) note.replaceChildren(words.loading);
    else if (this.#tab === "unread") note.replaceChildren(element("strong", {}, words.emptyUnread), words.emptyUnreadHint);
    else note.replaceChildren(element("strong", {}, words.emptyAll), words.emptyAllHint);
  }

  #drawRows(items) {
    const { list } = this.#parts;
    const wanted = new Set(items.map((item) => item.id));
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      this.#viewed.unobserve(row.element);
      row.element.remove();
      this.#rows.delete(id);
    }
    let next = list.firstChild;
    for (const item of items) {
      let row = this.#rows.get(item.id);
      if (!row) {
        row = this.#row(item);
        this.#rows.set(item.id, row);
      }
      row.update(item);
      if (row.element === next) next = next.nextSibling;
      else list.insertBefore(row.element, next);
      if (!item.read_at && !this.#putBack.has(item.id)) this.#viewed.observe(row.element);
    }
  }

  #row(item) {
    const words = this.#words;
    const href = safe(item.link);
    const title = element("span", { class: "title" });
    const text = element("span", { class: "text" });
    const open = href
      ? element("a", { class: "open", href, rel: "noopener noreferrer", target: this.getAttribute("target") }, title, text)
      : element("button", { type: "button", class: "open" }, title, text);
    open.addEventListener("click", (event) => this.#opened(event, item.id, href));
    const time = element("time", { datetime: item.created_at, title: this.#exactly(item.created_at) });
    const why = element("p", { class: "why", hidden: true }, item.why);
    const read = element("button", { type: "button", class: "icon", onclick: () => this.#toggleRead(item.id) });
    const acts = element("div", { class: "acts" }, read);
    acts.append(element("button", { type: "button", class: "icon", title: words.archive, "aria-label": words.archive, onclick: () => this.#archive(item.id) }, icon("archive")));
    if (item.why) {
      acts.append(element("button", { type: "button", class: "icon", title: words.why, "aria-label": words.why, "aria-expanded": "false", onclick: (event) => {
        why.hidden = !why.hidden;
        event.currentTarget.setAttribute("aria-expanded", String(!why.hidden));
      } }, icon("help")));
    }
    const actions = element("div", { class: "actions", hidden: true });
    const row = element("li", { part: "item", "data-id": item.id }, element("span", { class: "mark" }), element("div", { class: "main" }, open, actions, element("div", { class: "line" }, time, acts), why));
    let drawn = null;
    const update = (now) => {
      if (drawn === now) return;
      drawn = now;
      const isNew = !now.read_at;
      row.classList.toggle("new", isNew || this.#glowing.has(now.id));
      row.toggleAttribute("data-unread", isNew);
      title.textContent = now.title;
      text.textContent = now.body;
      text.hidden = !now.body;
      time.textContent = this.#ago(now.created_at);
      const label = isNew ? words.read : words.unreadAgain;
      read.title = label;
      read.setAttribute("aria-label", label);
      read.replaceChildren(icon(isNew ? "check" : "dot"));
      actions.hidden = !now.actions.length;
      actions.replaceChildren(...now.actions.map((action, index) => this.#action(now.id, action, index)));
    };
    return { element: row, update, time };
  }

  #action(id, action, index) {
    const href = safe(action.url);
    const classes = action.primary ? "button primary" : "button";
    if (action.completed) return element("span", { class: classes, "aria-disabled": "true" }, icon("check"), action.label);
    const act = () => this.#do(() => this.#feed.mark("clicked", id, { action: index }));
    return href
      ? element("a", { class: classes, href, rel: "noopener noreferrer", target: this.getAttribute("target"), onclick: act }, action.label)
      : element("button", { type: "button", class: classes, onclick: act }, action.label);
  }

  #foot(...content) {
    clearTimeout(this.#undoTimer);
    const { foot } = this.#parts;
    const url = this.getAttribute("settings-url") ?? (this.hasAttribute("token") || this.hasAttribute("token-url") ? "" : "/preferences/");
    const href = safe(url);
    if (content.length) this.#undoTimer = setTimeout(() => this.#foot(), UNDO_MS);
    else if (href) content = [element("a", { href }, this.#words.settings)];
    foot.replaceChildren(...content);
    foot.hidden = !content.length;
  }

  #tellTimes() {
    if (!this.isOpen) return;
    for (const [id, row] of this.#rows) row.time.textContent = this.#ago(this.#feed.items.get(id).created_at);
  }

  // --- What happens

  #changed(change) {
    if (!this.#parts) return;
    if (change.state) {
      this.setAttribute("state", change.state);
      this.#drawState();
    }
    if (change.counts) this.dispatchEvent(new CustomEvent("carillon-counts", { detail: this.counts, bubbles: true, composed: true }));
    if (change.resync) {
      this.#pages = { unread: {}, all: {} };
      this.#feed.items.clear();
      if (this.isOpen) this.#load();
    }
    if (change.arrived) this.#arrived(change.arrived);
    this.#draw();
    if (change.arrived) this.#rows.get(change.arrived.id)?.element.classList.add("fresh");
  }

  #arrived(item) {
    this.#parts.live.textContent = this.#words.arrived(item.title);
    this.dispatchEvent(new CustomEvent("carillon-arrived", { detail: item, bubbles: true, composed: true }));
  }

  async #load(older = false) {
    const name = this.#tab;
    const page = this.#pages[name];
    if (page.loading || (page.loaded && !older)) return;
    page.loading = true;
    try {
      const got = await this.#feed.list(name === "unread" ? "unread" : "", older ? page.next : null);
      if (this.#feed.seq === null) this.#feed.seq = got.seq;
      const focus = older && got.results[0]?.id;
      Object.assign(page, { loaded: true, failed: false, next: got.next, last: got.results.at(-1)?.id ?? page.last });
      this.#draw();
      if (focus) this.#rows.get(focus)?.element.querySelector(".open").focus();
    } catch {
      page.failed = !page.loaded;
      this.#draw();
    } finally {
      page.loading = false;
    }
  }

  #show(name) {
    this.#tab = name;
    this.#kept.clear();
    this.#glowing.clear();
    this.#parts.body.scrollTop = 0;
    this.#draw();
    this.#load();
  }

  // Shown for a moment in a tab that is looked at: read. With mark-read="click" only what is opened is.
  #viewed = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const id = target.dataset.id;
        clearTimeout(this.#viewing.get(id));
        this.#viewing.delete(id);
        if (isIntersecting && this.getAttribute("mark-read") !== "click") {
          this.#viewing.set(id, setTimeout(() => this.#see(id), VIEWED_MS));
        }
      }
    },
    { threshold: 0.6 },
  );

  #see(id) {
    const item = this.#feed.items.get(id);
    if (!item || item.read_at || document.visibilityState !== "visible") return;
    this.#kept.add(id);
    this.#glowing.add(id);
    this.#do(() => this.#feed.mark("read", id));
  }

  #opened(event, id, href) {
    const item = this.#feed.items.get(id);
    const told = this.dispatchEvent(new CustomEvent("carillon-open", { detail: item, bubbles: true, composed: true, cancelable: true }));
    if (!told) event.preventDefault();
    this.#kept.add(id);
    this.#do(() => this.#feed.mark("clicked", id));
    if (href && !event.metaKey && !event.ctrlKey && event.button === 0) this.close();
  }

  #toggleRead(id) {
    const item = this.#feed.items.get(id);
    this.#viewed.unobserve(this.#rows.get(id).element);
    clearTimeout(this.#viewing.get(id));
    this.#kept.add(id);
    this.#glowing.delete(id);
    this.#putBack.add(id);
    this.#do(() => this.#feed.mark(item.read_at ? "unread" : "read", id));
  }

  #archive(id) {
    const row = this.#rows.get(id)?.element;
    const neighbour = row?.nextElementSibling ?? row?.previousElementSibling;
    this.#feed.items.set(id, { ...this.#feed.items.get(id), archived_at: new Date().toISOString() });
    this.#draw();
    (neighbour?.querySelector(".open") ?? this.#parts.panel).focus();
    this.#do(() => this.#feed.mark("archive", id));
    const undo = element("button", { type: "button", class: "undo", onclick: () => {
      this.#foot();
      this.#parts.panel.focus();
      this.#do(() => this.#feed.mark("unarchive", id));
    } }, this.#words.undo);
    this.#foot(element("span", { role: "status" }, this.#words.archived), undo);
  }

  #readAll() {
    this.#kept.clear();
    this.#glowing.clear();
    this.#do(() => this.#feed.markAll("read"));
  }

  // A mark that fails leaves the list as the server knows it.
  async #do(act) {
    try {
      await act();
    } catch {
      this.#pages[this.#tab] = {};
      if (this.isOpen) this.#load();
    }
  }

  // --- Keys

  #keys(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!step || event.target.getAttribute("role") === "tab") return;
    const rows = [...this.#parts.list.children];
    if (!rows.length) return;
    const at = rows.findIndex((row) => row.contains(this.shadowRoot.activeElement));
    const to = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step));
    rows[Number.isFinite(step) ? to : step > 0 ? rows.length - 1 : 0].querySelector(".open").focus();
    event.preventDefault();
  }

  #arrowTabs(event) {
    if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    this.#show(this.#tab === "unread" ? "all" : "unread");
    this.#parts[this.#tab].focus();
  }
}

if (!customElements.get("carillon-inbox")) customElements.define("carillon-inbox", CarillonInbox);
