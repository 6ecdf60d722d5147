const originalAPIHostname = "code.example.com";
const originalAPISecondHostname = "mirror.example.com";

export async function onRequest(context) {
  const { request, env } = context;
  const url = new URL(request.url)

  if (url.pathname.startsWith('/code')) {
    const url = new URL(request.url);
    url.hostname = originalAPIHostname;
    return fetch(new Request(url.toString(), request));
  }
}
