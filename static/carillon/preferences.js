// Saves one thing at once and in place. Without this file every form has its button and does the same by a reload.
const settings = document.querySelector("[data-settings]");
const saved = document.querySelector("[data-saved]");
const status = saved.querySelector("[data-status]");
const undo = saved.querySelector("[data-undo]");
const restore = saved.querySelector("[data-restore]");
const alarm = document.querySelector("[data-alert]");
const COUNTS_AT_ONCE = "[data-settings], [data-auto]";

hideSaves();
// A live region speaks when it changes: what came with the page is put in once more.
for (const region of [status, alarm]) if (region.textContent) again(region);

// One request after the other, so that answers never overtake each other.
let last = Promise.resolve();
const next = (act) => (last = last.then(act));

document.addEventListener("change", ({ target }) => {
  if (settings.contains(target) && target.name === "on") next(() => flip(target));
  else if (target.form?.matches("[data-auto]")) target.form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-settings], [data-inplace], [data-saved]")) return;
  if (form.querySelector("[name=restore][value^='language=']")) return; // the whole page speaks another one
  event.preventDefault();
  if (form === settings) return;
  const body = new FormData(form, event.submitter);
  next(() => send(form, body));
});

// One switch of the table. It is asked as JSON: the answer is small, and the switches are there already.
async function flip(box) {
  const cell = box.closest("label");
  const wanted = box.checked;
  const body = new FormData();
  body.append("csrfmiddlewaretoken", settings.elements.csrfmiddlewaretoken.value);
  body.append("shown", `${box.value}:${wanted ? "off" : "on"}`);
  if (wanted) body.append("on", box.value);
  cell.setAttribute("aria-busy", "true");
  const response = await post(settings.action, body, "application/json");
  const answer = response?.ok && !response.redirected ? await response.json() : null;
  cell.removeAttribute("aria-busy");
  if (answer) return show(answer);
  if (response) say(response.redirected ? status.dataset.signedOut : status.dataset.failed);
  box.checked = !wanted;
}

// A section's form. The answer is the page itself; what it says anew takes the place of what stands here.
async function send(form, body) {
  const section = form.closest("[data-section]");
  section?.setAttribute("aria-busy", "true");
  const response = await post(form.action, body, "text/html");
  section?.removeAttribute("aria-busy");
  if (!response) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const answered = page.querySelector("[data-saved]");
  if (!answered) return say(response.redirected ? status.dataset.signedOut : status.dataset.failed);
  const held = document.activeElement;
  for (const part of page.querySelectorAll("[data-section], [data-grid]")) take(part);
  hideSaves();
  focus(held, section);
  const states = [...answered.querySelectorAll("input[name=restore]")].map((input) => input.value);
  say(answered.querySelector("[data-status]").textContent, states);
  alarm.textContent = page.querySelector("[data-alert]").textContent;
}

function take(part) {
  const here = part.id ? document.getElementById(part.id) : document.querySelector("[data-grid]");
  if (!part.isEqualNode(here)) here.replaceWith(part);
}

// The keyboard stays where it was: at the same control, at what is wrong, or at the section's heading.
function focus(held, section) {
  if (!section || held.isConnected) return;
  const part = document.getElementById(section.id);
  const same = held.id ? `#${CSS.escape(held.id)}` : `[name="${held.name}"][value="${CSS.escape(held.value)}"]`;
  const heading = part.querySelector("h2");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  (part.querySelector("[aria-invalid=true]") ?? part.querySelector(same))?.focus(); // no effect where it is folded away
}

async function post(url, body, accept) {
  try {
    const response = await fetch(url, { method: "POST", body, headers: { Accept: accept } });
    if (response.ok || response.status === 422) return response;
    return say(response.status === 403 ? status.dataset.signedOut : status.dataset.failed);
  } catch {
    return say(status.dataset.failed);
  }
}

function show({ text, restore: states, cells }) {
  for (const box of settings.querySelectorAll("input[name=on]")) {
    if (!(box.value in cells)) continue;
    box.checked = cells[box.value];
    box.parentElement.querySelector("input[name=shown]").value = `${box.value}:${box.checked ? "on" : "off"}`;
  }
  say(text, states);
}

function say(text, states = []) {
  status.textContent = text;
  undo.hidden = states.length === 0;
  restore.replaceChildren(
    ...states.map((state) => Object.assign(document.createElement("input"), { type: "hidden", name: "restore", value: state })),
  );
  return null;
}

function hideSaves() {
  for (const save of document.querySelectorAll("[data-save]")) if (save.closest(COUNTS_AT_ONCE)) save.hidden = true;
}

function again(region) {
  const text = region.textContent;
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 100);
}
