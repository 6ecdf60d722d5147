// The hostname where your API lives
const originalAPIHostname = "api.example.net";

export default {
	async fetch(request, env) {
		const url = new URL(request.url);
		url.hostname = originalAPIHostname;

		// url.pathname = url.pathname.substring(4)

		const newRequest = new Request(url.toString(), request);

		newRequest.headers.set("cf-access-client-id", env.CF_ACCESS_CLIENT_ID);
		newRequest.headers.set("cf-access-client-secret", env.CF_ACCESS_CLIENT_SECRET);
		return fetch(newRequest);
	},
};
