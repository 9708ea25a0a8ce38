// The demo shop's buttons, without leaving the page, so that the bell can be watched; and the copy button.
const said = document.querySelector("[data-said]");

for (const form of document.querySelectorAll("[data-send]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData(form, event.submitter);
    event.submitter.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
      said.textContent = answer.ok && !answer.redirected ? form.dataset.done : "That did not work. Reload the page and try again.";
    } catch {
      said.textContent = "The shop cannot be reached. Is Carillon still running?";
    } finally {
      event.submitter.disabled = false;
      event.submitter.focus();
    }
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const label = button.querySelector("[data-label]");
    const before = label.textContent;
    label.textContent = label.dataset.done;
    setTimeout(() => (label.textContent = before), 2000);
  });
}
