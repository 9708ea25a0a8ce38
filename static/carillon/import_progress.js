// Shows how far an import is while somebody looks, and loads the page anew when it has come to another state.
const region = document.querySelector("[data-progress]");

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(region.dataset.progress, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return; // signed out, or away: what is shown stays
    if (answer.headers.get("X-Import-Status") !== region.dataset.status) {
      location.reload();
      return;
    }
    region.innerHTML = await answer.text();
  } catch {
    // The next look tries again.
  }
}

setInterval(look, 1500);
document.addEventListener("visibilitychange", look);
