// Keeps the page's own files in the browser, so that it opens with no network: the purse in it needs none. Names of files carry a hash of
// their content, so what is kept is what was meant. Nothing of the API is kept. Where the files come from: those that the page names, and those that these name.
const kept = "page";

async function keepPage() {
  const cache = await caches.open(kept);
  const wanted = new Set(["/"]);
  for (const path of wanted) {
    let file = path === "/" ? undefined : await cache.match(path);
    if (!file) {
      file = await fetch(path, { cache: "no-cache" });
      if (!file.ok) throw new Error(`${path}: ${file.status}`);
      await cache.put(path, file.clone());
    }
    if (path.endsWith(".wasm")) continue;
    for (const [name] of (await file.text()).matchAll(/assets\/[\w.-]+\.(?:js|css|wasm)/g)) wanted.add(`/${name}`);
  }
  for (const request of await cache.keys()) {
    if (!wanted.has(new URL(request.url).pathname)) await cache.delete(request);
  }
}

// The program's page while it answers, and then its files are kept anew; else the page that was kept.
async function pageFor(request, later) {
  try {
    const answer = await fetch(request);
    later(keepPage().catch(() => undefined));
    return answer;
  } catch {
    return (await caches.match("/")) ?? Response.error();
  }
}

addEventListener("install", (event) => event.waitUntil(keepPage().then(() => self.skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  if (event.request.mode === "navigate") event.respondWith(pageFor(event.request, (work) => event.waitUntil(work)));
  else if (pathname.startsWith("/assets/")) event.respondWith(caches.match(pathname).then((file) => file ?? fetch(event.request)));
});
