// What a browser does with Carillon's web push while no page is open: show it, and open its link when it is clicked.
// Register it from your own origin; docs/providers/web-push.md tells how. It keeps nothing and asks for nothing.

const BLOCKED_SCHEMES = new Set(["javascript:", "data:", "vbscript:", "blob:", "file:", "about:"]);

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const said = read(event.data);
  event.waitUntil(
    self.registration.showNotification(said.title || "", {
      body: said.body || "",
      data: { link: said.link || "" },
      tag: said.id, // a repeat takes the place of the first
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const link = safe(event.notification.data?.link);
  if (link) event.waitUntil(show(link));
});

// A browser may change its subscription by itself; the page that comes next tells Carillon, see push.js.
self.addEventListener("pushsubscriptionchange", (event) => {
  const options = event.oldSubscription?.options;
  if (options) event.waitUntil(self.registration.pushManager.subscribe(options));
});

function read(data) {
  try {
    return data?.json() ?? {};
  } catch {
    return { body: data.text() };
  }
}

async function show(link) {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = pages.find((page) => page.url === link);
  return open ? open.focus() : self.clients.openWindow(link);
}

function safe(link) {
  try {
    const url = new URL(link, self.location.origin);
    return BLOCKED_SCHEMES.has(url.protocol) ? null : url.href;
  } catch {
    return null;
  }
}
