// Keeps a part of an admin page up to date: fetches [data-live] anew every few seconds while the page is looked at.
for (const region of document.querySelectorAll("[data-live]")) {
  const seconds = Number(region.dataset.seconds) || 5;
  setInterval(() => refresh(region), seconds * 1000);
}

async function refresh(region) {
  if (document.hidden || region.contains(document.activeElement)) return;
  try {
    const answer = await fetch(region.dataset.live, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return; // signed out, or away: what is shown stays, with its time
    const text = await answer.text();
    if (text !== region.dataset.shown) region.innerHTML = region.dataset.shown = text;
  } catch {
    // The next round tries again.
  }
}
