// One item in the list.

import { element, icon, safe } from "./elements.js";
import { ago, exactly } from "./words.js";

// Returns {element, time, update(item)}. `host`: {target, isGlowing(id), opened(event, id, href), toggleRead(id),
// archive(id), clicked(id, index)}.
export function row(item, host, words, locale) {
  const href = safe(item.link);
  const title = element("span", { class: "title", dir: "auto" });
  const text = element("span", { class: "text", dir: "auto" });
  const open = href
    ? element("a", { class: "open", href, rel: "noopener noreferrer", target: host.target }, title, text)
    : element("button", { type: "button", class: "open" }, title, text);
  open.addEventListener("click", (event) => host.opened(event, item.id, href));
  const time = element("time", { datetime: item.created_at, title: exactly(item.created_at, locale) });
  const why = element("p", { class: "why", hidden: true }, item.why);
  const read = element("button", { type: "button", class: "icon", onclick: () => host.toggleRead(item.id) });
  const acts = element("div", { class: "acts" }, read);
  acts.append(element("button", { type: "button", class: "icon", title: words.archive, "aria-label": words.archive, onclick: () => host.archive(item.id) }, icon("archive")));
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
    row.classList.toggle("new", isNew || host.isGlowing(now.id));
    row.toggleAttribute("data-unread", isNew);
    title.textContent = now.title;
    text.textContent = now.body;
    text.hidden = !now.body;
    time.textContent = ago(now.created_at, locale);
    const label = isNew ? words.read : words.unreadAgain;
    read.title = label;
    read.setAttribute("aria-label", label);
    read.replaceChildren(icon(isNew ? "check" : "dot"));
    actions.hidden = !now.actions.length;
    actions.replaceChildren(...now.actions.map((action, index) => button(action, host.target, () => host.clicked(now.id, index))));
  };
  return { element: row, update, time };
}

function button(action, target, clicked) {
  const href = safe(action.url);
  const classes = action.primary ? "button primary" : "button";
  if (action.completed) return element("span", { class: classes, "aria-disabled": "true" }, icon("check"), action.label);
  return href
    ? element("a", { class: classes, href, rel: "noopener noreferrer", target, onclick: clicked }, action.label)
    : element("button", { type: "button", class: classes, onclick: clicked }, action.label);
}
