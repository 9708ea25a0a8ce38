// The template editor: what is written where, and what becomes of it. fields.js draws the texts, preview.js the messages.
import { drawFields, showFaults } from "./fields.js";
import { drawPreview, drawProblem } from "./preview.js";

const root = document.getElementById("editor");
const data = JSON.parse(document.getElementById("editor-data").textContent);
const csrf = root.querySelector("[name=csrfmiddlewaretoken]").value;
const by = (id) => document.getElementById(id);

const state = {
  contents: new Map(data.contents.map((content) => [`${content.channel}|${content.locale}`, content])),
  channel: "email",
  locale: data.locale,
  sample: 0,
  faults: [],
  changed: false,
  draft: data.draft,
};

const channelOf = (key) => data.channels.find((channel) => channel.key === key);
const current = () => state.contents.get(`${state.channel}|${state.locale}`);
const localesOf = (channel) =>
  [...state.contents.values()]
    .filter((content) => content.channel === channel)
    .map((content) => content.locale)
    .sort((a, b) => (b === data.locale) - (a === data.locale) || a.localeCompare(b));

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// --- Channels and languages ---------------------------------------------------------------------------------------

function draw() {
  drawChannels();
  drawLocales();
  const content = current();
  by("ed-fields").replaceChildren(content ? drawFields(channelOf(state.channel), content, data.writable, edited) : empty());
  by("ed-names").hidden = !content || !data.writable;
  showFaults(faultsHere());
  drawNames();
  by("ed-narrow").hidden = by("ed-dark").hidden = state.channel !== "email";
  refresh(0);
}

function drawChannels() {
  const tabs = data.channels.map((channel) => {
    const locales = localesOf(channel.key);
    const faulty = state.faults.some((fault) => fault.channel === channel.key);
    const selected = channel.key === state.channel;
    return make(
      "button",
      {
        type: "button",
        role: "tab",
        "aria-selected": String(selected),
        tabindex: selected ? 0 : -1,
        class: locales.length ? "" : "ed-unwritten",
        onclick: () => go(channel.key, localesOf(channel.key)[0] ?? data.locale),
      },
      channel.name,
      locales.length > 1 ? make("small", {}, String(locales.length)) : "",
      faulty ? make("span", { class: "ed-mark", title: "Something is wrong here" }, "!") : "",
    );
  });
  by("ed-channels").replaceChildren(...tabs);
}

by("ed-channels").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const index = data.channels.findIndex((channel) => channel.key === state.channel);
  const next = data.channels[(index + step + data.channels.length) % data.channels.length].key;
  go(next, localesOf(next)[0] ?? data.locale);
  by("ed-channels").querySelector("[aria-selected=true]").focus();
});

function drawLocales() {
  const locales = localesOf(state.channel);
  const chips = locales.map((locale) =>
    make(
      "button",
      {
        type: "button",
        class: "ed-chip",
        "aria-pressed": String(locale === state.locale),
        onclick: () => go(state.channel, locale),
      },
      languageName(locale),
    ),
  );
  if (locales.length && data.writable) chips.push(adder(), remover());
  by("ed-locales").replaceChildren(...chips);
}

function languageName(locale) {
  try {
    return new Intl.DisplayNames([document.documentElement.lang || "en"], { type: "language" }).of(locale);
  } catch {
    return locale;
  }
}

function adder() {
  const input = make("input", { size: 8, maxlength: 35, placeholder: "de, pt-BR", "aria-label": "Language to add" });
  const form = make("form", { class: "ed-add" }, input, make("button", { class: "ed-chip" }, "Add language"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const locale = canonical(input.value.trim().replaceAll("_", "-"));
    if (!locale) {
      input.setCustomValidity("Write a language like de or pt-BR.");
      input.reportValidity();
      input.addEventListener("input", () => input.setCustomValidity(""), { once: true });
      return;
    }
    if (!localesOf(state.channel).includes(locale)) write(state.channel, locale, { ...current()?.parts });
    go(state.channel, locale);
  });
  return form;
}

function canonical(locale) {
  try {
    return Intl.getCanonicalLocales(locale)[0];
  } catch {
    return undefined;
  }
}

function remover() {
  const remove = () => {
    const key = `${state.channel}|${state.locale}`;
    const removed = state.contents.get(key);
    state.contents.delete(key);
    markChanged();
    say("Removed.", "Undo", () => {
      state.contents.set(key, removed);
      go(removed.channel, removed.locale);
      say("");
    });
    go(state.channel, localesOf(state.channel)[0] ?? data.locale);
  };
  return make("button", { type: "button", class: "ed-quiet", onclick: remove }, "Remove this text");
}

function empty() {
  const channel = channelOf(state.channel);
  const said = "Nothing is written here. Without words of its own, this channel sends the title, body and link it is given.";
  const start = () => {
    write(state.channel, data.locale, {});
    go(state.channel, data.locale);
    by("ed-fields").querySelector("textarea")?.focus();
  };
  return make(
    "div",
    { class: "ed-empty" },
    make("p", {}, said),
    data.writable ? make("button", { type: "button", class: "ed-button", onclick: start }, `Write for ${channel.name}`) : "",
  );
}

function write(channel, locale, parts) {
  state.contents.set(`${channel}|${locale}`, { channel, locale, parts });
  markChanged();
}

function go(channel, locale) {
  Object.assign(state, { channel, locale });
  draw();
}

function edited(part, source) {
  current().parts[part] = source;
  const elsewhere = (fault) => fault.channel !== state.channel || fault.locale !== state.locale;
  state.faults = state.faults.filter(elsewhere);
  problems(refused.filter(elsewhere)); // what is wrong here now stands beside its field
  markChanged();
  refresh();
}

// --- Names to insert ----------------------------------------------------------------------------------------------

let field = null;
by("ed-fields").addEventListener("focusin", (event) => {
  if (event.target.matches("textarea")) field = event.target;
});

function drawNames() {
  const common = ["user.first_name", "title", "body", "link", "category.name", "unsubscribe_url"];
  const names = [...new Set([...paths(variables() ?? {}), ...common])];
  const chips = names.map((name) =>
    make("button", { type: "button", class: "ed-chip ed-variable", onclick: () => insert(`{{ ${name} }}`) }, name),
  );
  by("ed-names").replaceChildren(make("p", {}, "Insert"), ...chips);
}

function paths(value, prefix = "") {
  return Object.entries(value).flatMap(([name, child]) =>
    child && typeof child === "object" && !Array.isArray(child) ? paths(child, `${prefix}${name}.`) : [`${prefix}${name}`],
  );
}

function insert(text) {
  const target = field?.isConnected ? field : by("ed-fields").querySelector("textarea");
  if (!target) return;
  target.setRangeText(text, target.selectionStart, target.selectionEnd, "end");
  target.dispatchEvent(new Event("input", { bubbles: true }));
  target.focus();
}

// --- Preview ------------------------------------------------------------------------------------------------------

const sample = by("ed-sample");
sample.append(...data.samples.map((each, index) => make("option", { value: index }, each.name)));
sample.addEventListener("change", () => {
  state.sample = Number(sample.value);
  fillVariables();
  draw();
});

function fillVariables() {
  by("ed-variables").value = JSON.stringify(data.samples[state.sample].variables, null, 2);
  by("ed-variables-fault").hidden = true;
}

by("ed-variables").addEventListener("input", () => {
  const fault = variables() === null;
  by("ed-variables-fault").textContent = fault ? "This is not a JSON object yet." : "";
  by("ed-variables-fault").hidden = !fault;
  if (fault) return;
  drawNames();
  refresh();
});

function variables() {
  try {
    const value = JSON.parse(by("ed-variables").value || "{}");
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

let timer;
let asked = 0;
function refresh(delay = 350) {
  clearTimeout(timer);
  timer = setTimeout(preview, delay);
}

async function preview() {
  const content = current();
  const turn = ++asked;
  const stage = by("ed-stage");
  if (!content) return stage.replaceChildren();
  const body = { ...content, variables: variables() ?? {}, type: data.samples[state.sample].type };
  const answer = await post(root.dataset.preview, body);
  if (turn !== asked) return; // a newer one is on its way
  if (!answer.ok) return drawProblem(stage, answer.message);
  const look = { dark: pressed("ed-dark"), narrow: pressed("ed-narrow") };
  const others = state.faults.filter((f) => f.channel !== content.channel || f.locale !== content.locale);
  state.faults = [...others, ...answer.faults];
  showFaults(faultsHere());
  drawChannels();
  drawPreview(stage, content.channel, answer, look);
}

function faultsHere() {
  return state.faults.filter((fault) => fault.channel === state.channel && fault.locale === state.locale);
}

function pressed(id) {
  return by(id).getAttribute("aria-pressed") === "true";
}

for (const id of ["ed-dark", "ed-narrow"]) {
  by(id).addEventListener("click", () => {
    by(id).setAttribute("aria-pressed", String(!pressed(id)));
    refresh(0);
  });
}

// --- Saving and publishing ----------------------------------------------------------------------------------------

by("ed-name").addEventListener("input", markChanged);
by("ed-save")?.addEventListener("click", () => send(root.dataset.draft, "Saving…", () => say("Draft saved.")));
by("ed-restore")?.addEventListener("click", () =>
  send(root.dataset.draft, "Saving…", () => location.assign(location.pathname)),
);
by("ed-publish")?.addEventListener("click", () =>
  send(root.dataset.publish, "Publishing…", (answer) => {
    sessionStorage.setItem("carillon.said", `Version ${answer.version} is published. The next message uses it.`);
    location.assign(location.pathname);
  }),
);
document.addEventListener("keydown", (event) => {
  if ((event.metaKey || event.ctrlKey) && event.key === "s" && by("ed-save")) {
    event.preventDefault();
    by("ed-save").click();
  }
});

async function send(url, saying, done) {
  const buttons = root.querySelectorAll(".ed-acts button");
  for (const button of buttons) button.disabled = true;
  say(saying);
  problems([]);
  const answer = await post(url, { name: by("ed-name").value, contents: [...state.contents.values()] });
  for (const button of buttons) button.disabled = false;
  if (answer.version) {
    state.changed = false;
    state.draft = !answer.published;
    by("ed-state").textContent = `Draft of version ${answer.version}`;
    by("ed-state").className = "crl-pill crl-waits";
  }
  allow();
  if (answer.ok) return done(answer);
  state.faults = answer.faults ?? [];
  say(answer.version ? "The draft is saved. It cannot be published yet." : "");
  problems(answer.faults?.length ? answer.faults : [{ message: answer.message }, ...(answer.errors ?? [])]);
  const first = state.faults.find((fault) => fault.channel);
  if (first) go(first.channel, first.locale);
}

async function post(url, body) {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
      body: JSON.stringify(body),
    });
    if (!response.headers.get("Content-Type")?.startsWith("application/json")) {
      return { ok: false, message: "The server did not answer as it should. Are you still signed in?" };
    }
    return { ...(await response.json()), ok: response.ok };
  } catch {
    return { ok: false, message: "The server cannot be reached. What you wrote is still here." };
  }
}

let refused = [];
function problems(found) {
  refused = found;
  const list = make("ul");
  for (const fault of found) {
    const place = fault.channel
      ? `${channelOf(fault.channel).name}, ${languageName(fault.locale)}, ${partName(fault)}${fault.line ? `, line ${fault.line}` : ""}: `
      : "";
    const words = `${place}${fault.message}`;
    const jump = () => {
      go(fault.channel, fault.locale);
      document.getElementById(`ed-part-${fault.part}`)?.focus();
    };
    const text = fault.channel ? make("button", { type: "button", class: "ed-quiet", onclick: jump }, words) : words;
    list.append(make("li", {}, text));
  }
  by("ed-problems").replaceChildren(list);
  by("ed-problems").hidden = found.length === 0;
}

function partName({ channel, part }) {
  return channelOf(channel).parts.find(({ key }) => key === part)?.label ?? part;
}

function say(text, act, onclick) {
  by("ed-said").replaceChildren(text, ...(act ? [" ", make("button", { type: "button", class: "ed-quiet", onclick }, act)] : []));
}

function markChanged() {
  state.changed = true;
  allow();
  say("Not saved yet");
}

// Nothing is saved or published twice over.
function allow() {
  if (by("ed-save")) by("ed-save").disabled = !state.changed;
  if (by("ed-publish")) by("ed-publish").disabled = !state.changed && !state.draft;
}

addEventListener("beforeunload", (event) => {
  if (state.changed) event.preventDefault();
});

say(sessionStorage.getItem("carillon.said") ?? "");
sessionStorage.removeItem("carillon.said");
fillVariables();
allow();
const first = data.channels.find((channel) => localesOf(channel.key).length);
go(first?.key ?? "email", localesOf(first?.key)[0] ?? data.locale);
