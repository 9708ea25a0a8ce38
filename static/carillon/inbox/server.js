// Carillon's API as the person of this page, who has a session or a token.

class HttpError extends Error {
  constructor(status) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

// Says by `changed` when its state does: connecting, live, reconnecting, signed-out.
export class Server {
  constructor(host, changed) {
    this.host = host;
    this.changed = changed;
    this.state = "connecting";
  }

  get api() {
    return new URL((this.host.getAttribute("api") || "/api/v1").replace(/\/$/, ""), document.baseURI).href;
  }

  get socketUrl() {
    const url = new URL(this.host.getAttribute("socket") || new URL("/ws/inbox/", this.api), document.baseURI);
    url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
    return url.href;
  }

  setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.changed({ state });
  }

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
}

function csrf() {
  const found = /(?:^|; )(?:__Host-)?csrftoken=([^;]+)/.exec(document.cookie);
  return found ? decodeURIComponent(found[1]) : "";
}
