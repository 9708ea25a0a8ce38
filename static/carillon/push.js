// <carillon-push>: one button that turns notifications of this browser on and off. docs/providers/web-push.md tells how to
// embed it. It shows nothing where the browser knows no push, or Carillon has no key for it.

import { element } from "./inbox/elements.js";
import { Server } from "./inbox/server.js";

const WORDS = {
  en: {
    on: "Turn on notifications in this browser",
    off: "Turn off notifications in this browser",
    denied: "This browser blocks notifications of this site. Its settings can change that.",
    failed: "That did not work. Try again.",
  },
  de: {
    on: "Benachrichtigungen in diesem Browser einschalten",
    off: "Benachrichtigungen in diesem Browser ausschalten",
    denied: "Dieser Browser blockiert Benachrichtigungen dieser Website. Seine Einstellungen können das ändern.",
    failed: "Das hat nicht geklappt. Versuchen Sie es noch einmal.",
  },
  ar: {
    on: "تشغيل الإشعارات في هذا المتصفح",
    off: "إيقاف الإشعارات في هذا المتصفح",
    denied: "هذا المتصفح يحظر إشعارات هذا الموقع. يمكن تغيير ذلك في إعداداته.",
    failed: "لم ينجح ذلك. حاول مرة أخرى.",
  },
};

class CarillonPush extends HTMLElement {
  #server = new Server(this, () => {});
  #key = "";
  #subscription = null;

  async connectedCallback() {
    this.hidden = true;
    if (!("serviceWorker" in navigator && "PushManager" in window)) return this.#say("unsupported");
    try {
      this.#key = (await this.#server.ask("/web_push")).public_key;
    } catch {
      return this.#say("unavailable");
    }
    const known = await navigator.serviceWorker.getRegistration(this.#worker);
    this.#subscription = (await known?.pushManager.getSubscription()) ?? null;
    if (this.#subscription) await this.#tell().catch(() => {}); // it may have changed since this page was last here
    this.#draw();
  }

  get #worker() {
    return new URL(this.getAttribute("worker") || "/static/carillon/service-worker.js", document.baseURI).href;
  }

  get #words() {
    const locale = this.getAttribute("locale") || this.closest("[lang]")?.lang || navigator.language || "en";
    return WORDS[locale.slice(0, 2)] ?? WORDS.en;
  }

  // The browser asks for permission here, so this may only happen on a click.
  async #turnOn() {
    if ((await Notification.requestPermission()) === "denied") return this.#draw();
    await navigator.serviceWorker.register(this.#worker);
    const ready = await active(await navigator.serviceWorker.getRegistration(this.#worker));
    this.#subscription = await ready.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: octets(this.#key) });
    await this.#tell();
  }

  async #turnOff() {
    await this.#server.ask("/web_push/subscriptions/end", { method: "POST", body: { endpoint: this.#subscription.endpoint } });
    await this.#subscription.unsubscribe();
    this.#subscription = null;
  }

  async #tell() {
    const { endpoint, keys } = this.#subscription.toJSON();
    await this.#server.ask("/web_push/subscriptions", { method: "POST", body: { endpoint, keys } });
  }

  async #toggle(button) {
    button.disabled = true;
    try {
      await (this.#subscription ? this.#turnOff() : this.#turnOn());
      this.#draw();
    } catch {
      this.#draw(this.#words.failed);
    }
  }

  #draw(note = "") {
    const denied = Notification.permission === "denied";
    const button = element("button", { type: "button", disabled: denied, "aria-pressed": String(Boolean(this.#subscription)) });
    button.append(this.#subscription ? this.#words.off : this.#words.on);
    button.addEventListener("click", () => this.#toggle(button));
    this.replaceChildren(button, element("span", { role: "status" }, denied ? this.#words.denied : note));
    this.hidden = false;
    this.#say(denied ? "denied" : this.#subscription ? "on" : "off");
  }

  #say(state) {
    if (this.getAttribute("state") === state) return;
    this.setAttribute("state", state);
    this.dispatchEvent(new CustomEvent("carillon-push", { bubbles: true, composed: true, detail: { state } }));
  }
}

// A worker that was only just registered cannot be subscribed with yet.
function active(registration) {
  if (registration.active) return registration;
  const worker = registration.installing ?? registration.waiting;
  return new Promise((resolve) =>
    worker.addEventListener("statechange", () => worker.state === "activated" && resolve(registration)),
  );
}

function octets(base64url) {
  const text = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

customElements.define("carillon-push", CarillonPush);
