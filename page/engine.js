// Whose words a console has.

/** The words of each engine that it says of blocked requests, in any language: names of headers stay as they are. */
const SAYS = [
  ["chromium", /has been blocked by CORS policy|net::ERR_/],
  ["firefox", /Cross-Origin Request Blocked|\u2018Access-Control-Allow-[A-Za-z]+\u2019|NetworkError when attempting/],
  ["webkit", /due to access control checks|is not allowed by Access-Control-Allow-Origin\.|Preflight response is not successful/],
];

/** The engine of a log; without one, that of the browser that shows the page. */
export function engineOf(log, userAgent) {
  const [name] = SAYS.find(([, words]) => words.test(log)) ?? [];
  return name ?? (/Firefox\//.test(userAgent) ? "firefox" : /AppleWebKit/.test(userAgent) && !/Chrome|Chromium/.test(userAgent) ? "webkit" : "chromium");
}

export const ENGINES = { chromium: "Chromium", firefox: "Firefox", webkit: "Safari" };
