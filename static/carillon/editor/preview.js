// What was rendered, as people will see it. Everything but an e-mail is put in as text; an e-mail into a frame that runs nothing.
export function drawPreview(stage, channel, answer, look) {
  const { parts } = answer;
  if (Object.keys(parts).length === 0) return drawProblem(stage, "The preview comes back when what is marked is mended.");
  stage.replaceChildren(...(DRAW[channel] ?? plain)(parts, answer, look, stage));
}

export function drawProblem(stage, message) {
  stage.replaceChildren(element("p", "ed-waits", message));
}

const DRAW = { email, sms, chat: sms, push: pushed, web_push: pushed, in_app: inbox, webhook: json, voice: spoken };

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function phone(...children) {
  const frame = element("div", "crl-phone");
  frame.append(...children);
  const around = element("div", "crl-stage");
  around.append(frame);
  return [around];
}

function email(parts, answer, look, stage) {
  const head = element("p", "ed-subject", parts.subject ?? "");
  const kept = stage.querySelector("iframe");
  const frame = kept ?? document.createElement("iframe");
  frame.title = "The e-mail";
  frame.setAttribute("sandbox", "");
  frame.className = `crl-mail ed-mail${look.narrow ? " ed-narrow" : ""}`;
  // A frame's prefers-color-scheme is the colour scheme of the element that holds it.
  frame.style.colorScheme = look.dark ? "dark" : "light";
  frame.srcdoc = parts.html ?? `<pre style="font:16px/1.5 system-ui;white-space:pre-wrap;margin:24px">${escaped(parts.text ?? "")}</pre>`;
  const text = element("details", "ed-plain");
  text.append(element("summary", "", "Plain text"), element("pre", "", parts.text ?? ""));
  return parts.html ? [head, frame, text] : [head, frame];
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function sms(parts, answer) {
  const drawn = phone(element("p", "crl-bubble", parts.text));
  if (answer.size) {
    const { units, segments, unicode } = answer.size;
    const cost = `${units} characters, ${segments === 1 ? "1 text message" : `${segments} text messages`}`;
    drawn.push(element("p", "ed-hint", unicode ? `${cost}. One of them is outside the GSM alphabet, so each holds only 70.` : cost));
  }
  return drawn;
}

function pushed(parts) {
  const card = element("div", "crl-pushed");
  card.append(element("strong", "", parts.title), element("p", "", parts.body ?? ""));
  return phone(card);
}

function inbox(parts) {
  const row = element("div", "crl-pushed ed-inbox");
  row.append(element("strong", "", parts.title), element("p", "", parts.body ?? ""));
  if (parts.link) row.append(element("small", "", `Opens ${parts.link}`));
  const buttons = element("p", "ed-actions");
  for (const action of parts.actions ? JSON.parse(parts.actions) : []) {
    buttons.append(element("span", action.primary ? "ed-primary" : "", action.label));
  }
  row.append(buttons);
  return phone(row);
}

function json(parts) {
  return [element("pre", "ed-json", JSON.stringify(JSON.parse(parts.json), null, 2))];
}

function spoken(parts) {
  return [element("blockquote", "crl-spoken ed-spoken", parts.script)];
}

function plain(parts) {
  return Object.values(parts).map((part) => element("pre", "ed-json", part));
}
