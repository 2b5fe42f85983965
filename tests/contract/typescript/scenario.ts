// A shopper in a browser: sign up, log in by cookie, look at products, hit a 404, change the profile, log out, be refused.
// Run by `run_scenario(base_url)`: node scenario.js <base url> <origin>. Prints one JSON object.
import { ApiError, createClient, unwrap } from "../../../generated/typescript/src/index.js";
import { browser } from "./jar.js";

declare const process: { readonly argv: readonly string[] };

const [, , baseUrl = "", origin = baseUrl] = process.argv;
let signedOut = 0;
const hub = createClient({ baseUrl, fetch: browser(origin), onSignedOut: () => (signedOut += 1) });

async function refused(call: Promise<unknown>): Promise<ApiError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("The call should have been refused");
}

const email = `shopper-${Date.now()}@example.com`;
const password = "Lantern-Ridge-Walk-2026";

const user = await unwrap(hub.POST("/api/auth/signup", { body: { name: "Dana Whitfield", email, password } }));
const taken = await refused(unwrap(hub.POST("/api/auth/signup", { body: { name: "Dana Whitfield", email, password } })));
const wrong = await refused(unwrap(hub.POST("/api/auth/login", { body: { email, password: "not the password" } })));
const login = await unwrap(hub.POST("/api/auth/login", { body: { email, password } }));
const me = await unwrap(hub.GET("/api/users/me"));
const renamed = await unwrap(hub.PUT("/api/users/me", { body: { name: "Dana W." } })); // needs the CSRF token
const page = await unwrap(hub.GET("/api/products", { params: { query: { limit: 5, filters: { in_stock: true } } } }));
const missing = await refused(
  unwrap(hub.GET("/api/products/{product_id}", { params: { path: { product_id: "product-that-is-not-there" } } })),
);
const refreshed = await unwrap(hub.POST("/api/auth/refresh", { body: {} }));
await unwrap(hub.POST("/api/auth/logout", { body: {} }));
const after = await refused(unwrap(hub.GET("/api/users/me")));

console.log(
  JSON.stringify({
    signed_up: user.email === email,
    taken: taken.rule,
    wrong: wrong.status,
    logged_in: !login.mfa_required,
    me: me.user_id === user.user_id,
    renamed: renamed.name,
    products: page.items.length,
    missing: { status: missing.status, code: missing.code, request_id: missing.requestId !== undefined },
    refreshed: refreshed.csrf_token.length > 0,
    after: after.status,
    signed_out: signedOut,
  }),
);
