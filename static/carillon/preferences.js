// Saves one switch at once. Without this file the page has a Save button and does the same by a form.
const form = document.querySelector("[data-settings]");
const saved = document.querySelector("[data-saved]");
const status = saved.querySelector("[data-status]");
const undo = saved.querySelector("[data-undo]");
const restore = saved.querySelector("[data-restore]");

form.querySelector("[data-save]").hidden = true;

// One request after the other, so that answers never overtake each other.
let last = Promise.resolve();

form.addEventListener("change", (event) => {
  const box = event.target;
  if (box.name !== "on") return;
  last = last.then(() => save(box));
});

form.addEventListener("submit", (event) => event.preventDefault());

saved.addEventListener("submit", (event) => {
  event.preventDefault();
  const body = new FormData(saved);
  last = last.then(() => post(saved.action, body));
});

async function save(box) {
  const cell = box.closest("label");
  const wanted = box.checked;
  const body = new FormData();
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  body.append("shown", `${box.value}:${wanted ? "off" : "on"}`);
  if (wanted) body.append("on", box.value);
  cell.setAttribute("aria-busy", "true");
  const done = await post(form.action, body);
  cell.removeAttribute("aria-busy");
  if (!done) box.checked = !wanted;
}

async function post(url, body) {
  let answer;
  try {
    const response = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
    if (response.redirected || response.status === 403) return say(status.dataset.signedOut);
    if (!response.ok) return say(status.dataset.failed);
    answer = await response.json();
  } catch {
    return say(status.dataset.failed);
  }
  show(answer);
  return true;
}

function show({ text, restore: states, cells }) {
  for (const box of form.querySelectorAll("input[name=on]")) {
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
  return false;
}
