// What takes JavaScript one step and Wasm a dozen: each function is one crossing of the border. Nothing is decided here.

/** A request's method, its URL, and the names of all its headers: a line each. */
export const head = ({ method, url, headers }) => [method, url, ...headers.keys()].join("\n");

/** Edits headers in order. A line is `-name`, `=name value` or `+name value`: remove, set, append. */
function edit(headers, edits) {
  for (const line of edits.split("\n")) {
    const space = line.indexOf(" ");
    if (line[0] === "-") headers.delete(line.slice(1));
    else if (line[0] === "=") headers.set(line.slice(1, space), line.slice(space + 1));
    else if (line[0] === "+") headers.append(line.slice(1, space), line.slice(space + 1));
  }
  return headers;
}

/** An answer of the relay's own. */
export const answer = (status, edits, body) => new Response(body, { status, headers: edit(new Headers(), edits) });

/**
 * Sends a caller's request to the API: its method, its headers with the edits, and its body, which streams past.
 * Redirects are the caller's to follow: followed here, one would carry the credentials to whatever host the API names.
 *
 * The deadline is for the answer's headers; its body may take longer. Rejects with a `TimeoutError` where it passes. The
 * runtime ends the call to the API once the caller has its answer, so no AbortController is needed, which would cost
 * more than all header edits together.
 */
export async function send(request, url, method, edits, cache, milliseconds) {
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new DOMException("the deadline has passed", "TimeoutError")), milliseconds);
  });
  try {
    return await Promise.race([forward(request, url, method, edits, cache), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function forward(request, url, method, edits, cache) {
  const headers = edit(new Headers(request.headers), edits);
  const { body } = request;
  // A body on GET or HEAD, were it only an empty one, passes with the request it came with; in an init it is an error.
  if (body !== null && (method === "GET" || method === "HEAD")) {
    return fetch(new Request(url, request), { headers, redirect: "manual", cache });
  }
  return fetch(url, { method, headers, body, redirect: "manual", cache });
}

/** The API's answer with its headers edited. It shares the body, or the WebSocket, which a plain copy would lose. */
export function edited(response, edits) {
  const { status, webSocket } = response;
  const copy = webSocket === null ? response : { status, webSocket, headers: response.headers };
  const answer = new Response(response.body, copy);
  edit(answer.headers, edits);
  return answer;
}

/** The text at a URL: status 200 only, no redirect followed, at most `limit` bytes, within the time. */
export async function fetchText(url, milliseconds, limit) {
  const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(milliseconds) });
  if (response.status !== 200) throw new Error(`answered ${response.status}`);
  const decoder = new TextDecoder();
  let [text, length] = ["", 0];
  for await (const chunk of response.body) {
    length += chunk.byteLength;
    if (length > limit) throw new Error(`answered more than ${limit} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
