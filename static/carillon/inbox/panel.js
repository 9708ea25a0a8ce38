// The bell, and the panel that opens below it, without its rows.

import { element, icon } from "./elements.js";

// Returns its parts by name. `acts`: what happens on a click or a key, each a function.
export function panel(words, acts, isOpen) {
  const tab = (name) =>
    element("button", { type: "button", role: "tab", id: name, "aria-controls": "body", onclick: () => acts.show(name) }, words[name], " ", element("span"));
  const p = {
    badge: element("span", { class: "badge", part: "badge", "aria-hidden": "true", hidden: true }),
    live: element("div", { class: "unseen", role: "status", "aria-live": "polite" }),
    unread: tab("unread"),
    all: tab("all"),
    list: element("ul", { role: "list" }),
    note: element("div", { class: "note", hidden: true }),
    older: element("div", { class: "older", hidden: true }, element("button", { type: "button", class: "button", onclick: acts.older }, words.more)),
    state: element("p", { class: "state", role: "status", hidden: true }),
    foot: element("footer", { hidden: true }),
  };
  p.bell = element("button", { type: "button", class: "bell", part: "bell", "aria-haspopup": "dialog", "aria-expanded": String(isOpen), onclick: acts.toggle }, icon("bell"), p.badge);
  p.tabs = element("div", { class: "tabs", role: "tablist", "aria-label": words.notifications, onkeydown: acts.arrowTabs }, p.unread, p.all);
  p.body = element("div", { class: "body", role: "tabpanel", id: "body" }, p.list, p.note, p.older);
  p.panel = element(
    "div",
    { class: "panel", part: "panel", role: "dialog", "aria-label": words.notifications, tabindex: "-1", hidden: !isOpen, onkeydown: acts.keys },
    element(
      "header",
      {},
      element("h2", {}, words.notifications),
      element("button", { type: "button", class: "icon", "data-act": "read-all", title: words.readAll, "aria-label": words.readAll, onclick: acts.readAll }, icon("checks")),
      element("button", { type: "button", class: "icon", title: words.close, "aria-label": words.close, onclick: acts.close }, icon("close")),
    ),
    p.tabs,
    p.state,
    p.body,
    p.foot,
  );
  return p;
}
