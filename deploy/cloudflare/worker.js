// In front of Cloud Run: one name for clients, and the client's address for the app.
// ORIGIN is in wrangler.jsonc, EDGE_KEY is a secret: wrangler secret put EDGE_KEY.

// Headers with which a client could pretend to be the edge or another client.
const OURS = /^(x-edge-key|x-client-ip|x-real-ip|forwarded|x-forwarded-.*|cf-connecting-ip.*|true-client-ip)$/;

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (/^\/+metrics(\/|$)/i.test(decodeURI(url.pathname))) {
      return new Response("Not Found\n", { status: 404 });
    }
    const origin = new URL(env.ORIGIN);
    url.protocol = origin.protocol;
    url.host = origin.host;

    const headers = new Headers(request.headers);
    for (const name of [...headers.keys()].filter((name) => OURS.test(name))) {
      headers.delete(name);
    }
    headers.set("x-edge-key", env.EDGE_KEY);
    headers.set("x-client-ip", request.headers.get("cf-connecting-ip") ?? "");

    const answer = await fetch(url, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
    });
    const response = new Response(answer.body, answer);
    response.headers.set("strict-transport-security", "max-age=31536000");
    return response;
  },
};
