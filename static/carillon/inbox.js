// <carillon-inbox>: the bell, its badge and the list behind it. No framework, no build; docs/inbox.md tells how to embed
// it. The modules beside it: what the server knows (feed, server), what is drawn (panel, row, look) and in which words.

import { element, safe } from "./inbox/elements.js";
import { Feed } from "./inbox/feed.js";
import { styles } from "./inbox/look.js";
import { panel } from "./inbox/panel.js";
import { row } from "./inbox/row.js";
import { ago, wordsIn } from "./inbox/words.js";

const VIEWED_MS = 1000; // in view for this long, an item counts as read
const UNDO_MS = 8000;

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
    return wordsIn(this.#locale);
  }

  // --- Drawing

  #build() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styles()];
    const acts = {
      toggle: () => (this.isOpen ? this.close() : this.open()),
      close: () => this.close(),
      show: (name) => this.#show(name),
      older: () => this.#load(true),
      readAll: () => this.#readAll(),
      keys: (event) => this.#keys(event),
      arrowTabs: (event) => this.#arrowTabs(event),
    };
    const p = panel(this.#words, acts, this.isOpen);
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
    const host = {
      target: this.getAttribute("target"),
      isGlowing: (id) => this.#glowing.has(id),
      opened: (event, id, href) => this.#opened(event, id, href),
      toggleRead: (id) => this.#toggleRead(id),
      archive: (id) => this.#archive(id),
      clicked: (id, index) => this.#do(() => this.#feed.mark("clicked", id, { action: index })),
    };
    return row(item, host, this.#words, this.#locale);
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
    for (const [id, row] of this.#rows) row.time.textContent = ago(this.#feed.items.get(id).created_at, this.#locale);
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
