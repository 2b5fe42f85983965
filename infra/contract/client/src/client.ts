import createFetchClient, { type Client, type Middleware } from "openapi-fetch";

import { ApiError, toApiError } from "./errors.js";
import type { paths } from "./schema.js";
import { type Auth, Session } from "./session.js";

export interface ClientOptions {
  /** Where the API is, without a path: `https://api.example.com`. */
  readonly baseUrl: string;
  /** `cookie` (default, for browsers), `bearer` (the client keeps the tokens), or a function that knows the token. */
  readonly auth?: Auth;
  /** Another `fetch`, for tests. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Called when the session is over and cannot be refreshed. */
  readonly onSignedOut?: () => void;
}

/** The API: `GET`, `POST`, `PUT`, `DELETE` with paths, parameters, bodies and answers typed from the contract. */
export type HubClient = Client<paths>;

/** A client with its own session. */
export function createClient(options: ClientOptions): HubClient {
  const session = new Session(options.auth ?? "cookie");
  const send = options.fetch ?? ((request: Request) => fetch(request));
  const client = createFetchClient<paths>({
    baseUrl: options.baseUrl,
    credentials: session.auth === "cookie" ? "include" : "omit",
    fetch: send,
    querySerializer,
  });
  client.use(sessionMiddleware(session, options, send));
  return client;
}

/** The data of an answer; throws `ApiError` when it is not a success. */
export async function unwrap<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw toApiError(response, error);
  return data as T;
}

/** A key for one intended effect, for the header `Idempotency-Key`. Keep it for retries of the same effect. */
export function idempotencyKey(): string {
  return crypto.randomUUID();
}

/** Query parameters as the contract has them: lists repeat their name, objects are one JSON text. */
export function querySerializer(query: Record<string, unknown>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    for (const entry of Array.isArray(value) ? (value as unknown[]) : [value]) {
      search.append(name, typeof entry === "object" ? JSON.stringify(entry) : String(entry));
    }
  }
  return search.toString();
}

type Send = (request: Request) => Promise<Response>;

function sessionMiddleware(session: Session, options: ClientOptions, send: Send): Middleware {
  const unsent = new Map<string, Request>();
  const refresh = refresher(session, options, send);
  return {
    async onRequest({ id, request, schemaPath }) {
      if (!ignoresCredentials(schemaPath)) unsent.set(id, request.clone());
      await session.sign(request);
      return request;
    },
    async onResponse({ id, response, schemaPath }) {
      const again = unsent.get(id);
      unsent.delete(id);
      session.noteState(response);
      if (response.status === 401 && again !== undefined && (await refresh())) {
        await session.sign(again);
        return send(again);
      }
      if (response.ok) await learn(session, schemaPath, response);
      return undefined;
    },
    onError({ id }) {
      unsent.delete(id);
    },
  };
}

/** Operations that hand out sessions: they ignore the caller's token, and a 401 of theirs is final. */
function ignoresCredentials(path: string): boolean {
  return path.startsWith("/api/auth/");
}

async function learn(session: Session, path: string, response: Response): Promise<void> {
  if (path === "/api/auth/logout") return session.forget();
  const tells = ignoresCredentials(path) || path.startsWith("/api/cart");
  if (tells && response.headers.get("Content-Type")?.startsWith("application/json") === true) {
    session.learn(await response.clone().json());
  }
}

/** Refreshes the session, once for all requests that wait for it. Answers whether there is a session again. */
function refresher(session: Session, options: ClientOptions, send: Send): () => Promise<boolean> {
  let running: Promise<boolean> | undefined;
  async function run(): Promise<boolean> {
    const body = session.refreshBody();
    if (body === undefined) return false;
    const request = new Request(`${options.baseUrl.replace(/\/$/, "")}/api/auth/refresh`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      credentials: session.auth === "cookie" ? "include" : "omit",
      body: JSON.stringify(body),
    });
    const response = await send(request);
    if (response.ok) {
      session.learn(await response.json());
    } else if (response.status === 401) {
      session.forget();
      options.onSignedOut?.();
    }
    return response.ok;
  }
  return () => (running ??= run().finally(() => (running = undefined)));
}

export { ApiError };
