// What the server knows, kept up to date: over the socket while there is one, else by asking. Says so by `changed`.

import { Server } from "./server.js";

const PAGE = 20;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30000;
const PING_MS = 25000;
const PONG_MS = 10000;
const POLL_MS = 30000; // while there is no socket
const CHECK_MS = 120000; // while there is one: a hub that is down says nothing

const jitter = (ms) => ms * (0.5 + Math.random() / 2);

export class Feed extends Server {
  constructor(host, changed) {
    super(host, changed);
    this.items = new Map();
    this.counts = { unread: 0, unseen: 0, total: 0 };
    this.countsSeq = -1;
    this.seq = null; // up to here we know every change
    this.retries = 0;
    this.timers = {};
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
