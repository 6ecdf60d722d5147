// What takes JavaScript one step and Wasm a dozen: each function is one crossing of the border. Nothing is decided here.

/** The names of all headers, a line each. */
export const names = (headers) => [...headers.keys()].join("\n");

/**
 * Sends a caller's request to the API: its method and its body, which streams past. Redirects are the caller's to
 * follow: followed here, one would carry the credentials to whatever host the API names. The deadline is for the
 * answer's headers; its body may take longer. Rejects with a `TimeoutError` where it passes.
 */
export async function send(request, url, method, headers, cache, milliseconds) {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DOMException("the deadline has passed", "TimeoutError")), milliseconds);
  try {
    const init = { headers, redirect: "manual", cache, signal: deadline.signal };
    const { body } = request;
    // A body on GET or HEAD, were it only an empty one, passes with the request it came with; in an init it is an error.
    if (body !== null && (method === "GET" || method === "HEAD")) return await fetch(new Request(url, request), init);
    return await fetch(url, { ...init, method, body });
  } finally {
    clearTimeout(timer);
  }
}

/** A copy of a response that can be edited. It shares the body, or the WebSocket, which a plain copy would lose. */
export const editable = (response) => {
  if (response.webSocket === null) return new Response(response.body, response);
  return new Response(null, { status: response.status, webSocket: response.webSocket, headers: response.headers });
};

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
