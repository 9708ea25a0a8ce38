// The texts of one content: a field per part, with what is wrong with it beside it.
const ROWS = { html: 18, text: 8, body: 5, actions: 5, json: 12, script: 6 };
const ONE_LINE = new Set(["subject", "title", "link"]);

export function drawFields(channel, content, writable, edited) {
  const all = document.createDocumentFragment();
  for (const part of channel.parts) all.append(field(part, content.parts[part.key] ?? "", writable, edited));
  return all;
}

function field(part, source, writable, edited) {
  const box = document.createElement("div");
  box.className = "ed-field";
  const id = `ed-part-${part.key}`;
  const label = document.createElement("label");
  label.htmlFor = id;
  label.textContent = part.label;
  const area = document.createElement("textarea");
  Object.assign(area, { id, value: source, rows: ROWS[part.key] ?? 1, readOnly: !writable, spellcheck: part.key !== "html" });
  area.dataset.part = part.key;
  area.setAttribute("aria-describedby", `${id}-hint ${id}-fault`);
  area.addEventListener("input", () => {
    if (ONE_LINE.has(part.key)) area.value = area.value.replace(/\n/g, " ");
    grow(area);
    edited(part.key, area.value);
  });
  const fault = document.createElement("p");
  Object.assign(fault, { id: `${id}-fault`, className: "ed-fault", hidden: true });
  const hint = document.createElement("p");
  Object.assign(hint, { id: `${id}-hint`, className: "ed-hint", textContent: part.hint, hidden: !part.hint });
  box.append(label, area, fault, hint);
  requestAnimationFrame(() => grow(area));
  return box;
}

function grow(area) {
  if (area.rows > 8) return;
  area.style.blockSize = "auto";
  area.style.blockSize = `${area.scrollHeight + 2}px`;
}

export function showFaults(faults) {
  for (const area of document.querySelectorAll("#ed-fields textarea")) {
    const here = faults.filter((fault) => fault.part === area.dataset.part);
    const said = document.getElementById(`${area.id}-fault`);
    said.hidden = here.length === 0;
    said.textContent = here.map((fault) => (fault.line ? `Line ${fault.line}: ${fault.message}` : fault.message)).join("\n");
    area.setAttribute("aria-invalid", String(here.some((fault) => fault.code !== "required")));
  }
}
