// What a page can do to have a browser ask another origin for something, and what it learns by it.

/**
 * Runs in a page, before its own scripts: `attempts[kind](url)` resolves to what the page has learnt, in words. A kind that
 * tells the page nothing resolves to "nothing", maybe before anything is sent.
 */
export function installAttempts() {
  /** An engine that does not know a kind tells nothing, nor does Firefox of a frame that shows JSON. */
  const inTime = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 1_500, "nothing"))]);
  /** Puts an element into the page; which of its events comes first, and `more` of it. */
  const put = (tag, attributes, more = () => "", good = "load") =>
    inTime(new Promise((resolve) => {
      const element = document.createElement(tag);
      element.addEventListener(good, async () => resolve([good, await more(element)].filter(String).join(" ")));
      element.addEventListener("error", () => resolve("error"));
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      (document.body ?? document.documentElement).append(element);
    }));
  const caught = (promise) => promise.catch((error) => error.name);
  const read = () => {
    const [said, colour] = [globalThis.said, getComputedStyle(document.documentElement).getPropertyValue("--said")];
    delete globalThis.said;
    return said ?? colour;
  };
  /** Firefox says that an object is loaded a little before its window is there. */
  const frames = async (element) => {
    const inside = () => element.contentWindow ?? window[0];
    for (let tries = 0; !inside() && tries < 20; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
    return `${inside()?.length} frames`;
  };
  const workerOf = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const append = (tag, attributes) => document.body.appendChild(Object.assign(document.createElement(tag), attributes));
  /** Leads there by way of a redirect of the page's own origin. */
  const hop = (url) => `/hop?${encodeURIComponent(url)}`;
  /** What is asked for without a word to the page. */
  const speculate = (action, url) => {
    append("script", { type: "speculationrules", text: JSON.stringify({ [action]: [{ source: "list", urls: [url] }] }) });
    return "nothing";
  };

  globalThis.attempts = {
    script: (url) => put("script", { src: url }, read),
    module: (url) => put("script", { src: url, type: "module", crossorigin: "use-credentials" }, read),
    stylesheet: (url) => put("link", { rel: "stylesheet", href: url }, read),
    image: (url) => put("img", { src: url }, ({ naturalWidth }) => `${naturalWidth} wide`),
    video: (url) => put("video", { src: url }, ({ duration }) => `${duration} s`, "loadedmetadata"),
    audio: (url) => put("audio", { src: url }, ({ duration }) => `${duration} s`, "loadedmetadata"),
    font: (url) => caught(new FontFace("a", `url(${url})`).load().then(() => "load")),
    object: (url) => put("object", { data: url, type: "text/html" }, frames),
    embed: (url) => put("embed", { src: url, type: "text/html" }, frames),
    iframe: (url) => put("iframe", { src: url }, frames),
    prefetch: (url) => put("link", { rel: "prefetch", href: url }),
    preload: (url) => put("link", { rel: "preload", href: url, as: "image" }),
    fetch: (url) => caught(fetch(url, { mode: "no-cors", credentials: "include" }).then(({ type }) => type)),
    "fetch out of the cache": (url) =>
      caught(fetch(url, { mode: "no-cors", credentials: "include", cache: "force-cache" }).then(({ type }) => type)),
    importScripts: (url) =>
      new Promise((resolve) => {
        const text = `try { importScripts("${url}"); postMessage("load " + said) } catch (error) { postMessage(error.name) }`;
        new Worker(workerOf(text)).onmessage = ({ data }) => resolve(data);
      }),
    "service worker": async (url) => {
      await navigator.serviceWorker.register("/service-worker.js");
      if (!navigator.serviceWorker.controller) await new Promise((resolve) => (navigator.serviceWorker.oncontrollerchange = resolve));
      return put("script", { src: `/through?${encodeURIComponent(url)}` }, read);
    },
    "redirected script": (url) => put("script", { src: hop(url) }, read),
    "redirected image": (url) => put("img", { src: hop(url) }, ({ naturalWidth }) => `${naturalWidth} wide`),
    "redirected iframe": (url) => put("iframe", { src: hop(url) }, frames),
    "form in a frame": async (url) => {
      const frame = append("iframe", { name: "target" });
      const answered = new Promise((resolve) => frame.addEventListener("load", () => resolve(frames(frame).then((shown) => `load ${shown}`))));
      append("form", { action: url, target: "target" }).submit();
      return inTime(answered);
    },
    "speculation rules": (url) => speculate("prefetch", url),
    prerender: (url) => speculate("prerender", url),
    beacon: (url) => (navigator.sendBeacon(url, "x"), "nothing"),
    ping: (url) => (append("a", { href: "#", ping: url }).click(), "nothing"),
  };
}

/** What the attempts need of the page's own server: a redirect, and a service worker that asks another origin for a script. */
export const ATTEMPTS_SERVER = {
  "/hop": ({ url }, response) => response.writeHead(302, { location: decodeURIComponent(url.split("?")[1]) }).end(),
  "/service-worker.js": (_, response) =>
    response.writeHead(200, { "content-type": "text/javascript" }).end(`
      oninstall = () => skipWaiting();
      onactivate = (event) => event.waitUntil(clients.claim());
      onfetch = (event) => {
        const { pathname, search } = new URL(event.request.url);
        if (pathname !== "/through") return;
        event.respondWith(fetch(decodeURIComponent(search.slice(1)), { mode: "no-cors", credentials: "include" }));
      };
    `),
};
