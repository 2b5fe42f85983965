// The session of the client against a made-up server: refresh, retry, CSRF, bearer tokens, errors. Prints what happened.
import { createQueries } from "../../../generated/typescript/src/hooks.js";
import { type Auth, ApiError, createClient, querySerializer, unwrap } from "../../../generated/typescript/src/index.js";

type Answer = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> };

/** A server that answers by a function and writes down every call. */
function server(answer: (call: string, request: Request) => Answer) {
  const calls: string[] = [];
  const send = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const sent = ["Authorization", "X-CSRF-Token"].map((name) => request.headers.get(name)).filter((value) => value !== null);
    const call = `${request.method} ${pathname}`;
    const body = request.method === "GET" ? "" : await request.text();
    calls.push([call, ...sent, body].filter((part) => part !== "").join(" | "));
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { status, body: data, headers } = answer(call, request);
    const text = data === undefined ? null : typeof data === "string" ? data : JSON.stringify(data);
    return new Response(text, { status, headers: { "Content-Type": "application/json", ...headers } });
  };
  return { calls, send };
}

const told = (n: number) => ({ access_token: `access-${n}`, refresh_token: `refresh-${n}`, csrf_token: `csrf-${n}` });
const denied = { status: 401, body: { error: { code: "UNAUTHORIZED", message: "No", details: { rule: "token_expired" } } } };
const results: Record<string, unknown> = {};

/** Login, then the first token runs out: two reads and a write at once. */
async function expiry(auth: Auth): Promise<readonly string[]> {
  let valid = 0;
  const { calls, send } = server((call, request) => {
    if (call === "POST /api/auth/login" || call === "POST /api/auth/refresh") return { status: 200, body: told((valid += 1)) };
    const old = (request.headers.get("Authorization") ?? request.headers.get("X-CSRF-Token") ?? "").endsWith("-1");
    const gone = auth === "cookie" ? valid === 1 : old;
    return gone ? denied : { status: 200, body: {} };
  });
  const hub = createClient({ baseUrl: "http://api", auth, fetch: send });
  await unwrap(hub.POST("/api/auth/login", { body: { email: "customer@example.com", password: "x".repeat(8) } }));
  await Promise.all([
    unwrap(hub.GET("/api/users/me")),
    unwrap(hub.GET("/api/users/me/rewards")),
    unwrap(hub.PUT("/api/users/me", { body: { name: "Dana" } })),
  ]);
  return calls;
}

results["bearer"] = await expiry("bearer");
results["cookie"] = await expiry("cookie");

/** The session is over: the refresh is refused too, and the caller is told once. */
{
  let told = 0;
  const { calls, send } = server(() => denied);
  const hub = createClient({ baseUrl: "http://api/", fetch: send, onSignedOut: () => (told += 1) });
  const error = await unwrap(hub.GET("/api/users/me")).catch((thrown: unknown) => thrown);
  results["over"] = { calls, told, rule: error instanceof ApiError && error.rule };
}

/** A token of the caller's own: nothing is refreshed. */
{
  const { calls, send } = server(() => denied);
  const hub = createClient({ baseUrl: "http://api", auth: { token: async () => "mine" }, fetch: send });
  await hub.GET("/api/users/me");
  results["own"] = calls;
}

/** The first write to a cart starts a guest session; the next write knows its token. */
{
  const { calls, send } = server(() => ({ status: 200, body: { items: [], guest_session: told(7) } }));
  for (const auth of ["bearer", "cookie"] as const) {
    const hub = createClient({ baseUrl: "http://api", auth, fetch: send });
    await hub.DELETE("/api/cart/items/{item_id}", { params: { path: { item_id: "item-1" } } });
    await hub.DELETE("/api/cart/items/{item_id}", { params: { path: { item_id: "item-2" } } });
  }
  results["guest"] = calls;
}

/** Answers that are not the API's become errors too. */
{
  const proxy = server(() => ({ status: 503, body: "<html>", headers: { "Content-Type": "text/html", "Retry-After": "7" } }));
  const hub = createClient({ baseUrl: "http://api", fetch: proxy.send });
  const error = await unwrap(hub.GET("/api/products")).catch((thrown: unknown) => thrown);
  results["proxy"] = error instanceof ApiError && [error.status, error.code ?? null, error.message, error.retryAfter];
}

/** What the hooks run: data, or an `ApiError`. */
{
  const run = async (answer: Answer): Promise<unknown> => {
    const hub = createClient({ baseUrl: "http://api", auth: { token: () => undefined }, fetch: server(() => answer).send });
    const { queryFn } = createQueries(hub).queryOptions("get", "/api/users/me");
    return queryFn({ queryKey: ["get", "/api/users/me"], signal: new AbortController().signal } as never);
  };
  const thrown = await run(denied).catch((error: unknown) => error);
  results["hooks"] = [await run({ status: 200, body: { name: "Dana" } }), thrown instanceof ApiError && thrown.rule];
}

results["query"] = querySerializer({ q: "a b", filters: { brand: ["Apple"] }, tag: ["x", "y"], none: undefined });
console.log(JSON.stringify(results));
