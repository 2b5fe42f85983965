/** How a client proves who calls: cookies that the browser keeps, tokens that the client keeps, or a token of the caller's. */
export type Auth = "cookie" | "bearer" | { readonly token: () => string | undefined | Promise<string | undefined> };

/** What an answer of login, refresh, guest session or first cart write says about the session. */
interface Told {
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly csrf_token?: string;
  readonly guest_session?: Told;
}

const STATE_MILLISECONDS = 10_000;
// The name in production, then the one elsewhere.
const CSRF_COOKIES = ["__Host-hph_csrf", "hph_csrf"];

/** The credentials of one client. */
export class Session {
  #access: string | undefined;
  #refresh: string | undefined;
  #csrf: string | undefined;
  #state: { readonly value: string; readonly until: number } | undefined;

  constructor(readonly auth: Auth) {}

  /** Learns what an answer says; other answers change nothing. */
  learn(body: unknown): void {
    const told = tokensOf(body);
    if (told === undefined) return;
    this.#csrf = told.csrf_token ?? this.#csrf;
    if (this.auth !== "bearer") return;
    this.#access = told.access_token ?? this.#access;
    this.#refresh = told.refresh_token ?? this.#refresh;
  }

  /** Keeps what a response to a write says about it, so that the next reads see that write wherever they arrive. */
  noteState(response: Response): void {
    const value = response.headers.get("X-Session-State");
    if (value !== null) this.#state = { value, until: Date.now() + STATE_MILLISECONDS };
  }

  /** Forgets everything, after logout or when the session is over. */
  forget(): void {
    this.#access = this.#refresh = this.#csrf = this.#state = undefined;
  }

  /** Puts the credentials on a request. */
  async sign(request: Request): Promise<void> {
    const token = this.auth === "cookie" ? undefined : await this.#token();
    if (token !== undefined) request.headers.set("Authorization", `Bearer ${token}`);
    // Browsers send the cookie that says the same.
    if (this.auth !== "cookie" && this.#state !== undefined && Date.now() < this.#state.until) {
      request.headers.set("X-Session-State", this.#state.value);
    }
    const csrf = csrfCookie() ?? this.#csrf;
    if (this.auth === "cookie" && csrf !== undefined && request.method !== "GET" && request.method !== "HEAD") {
      request.headers.set("X-CSRF-Token", csrf);
    }
  }

  /** The body of a refresh request; undefined when this client cannot refresh. */
  refreshBody(): { refresh_token?: string } | undefined {
    if (this.auth === "cookie") return {};
    return this.#refresh === undefined ? undefined : { refresh_token: this.#refresh };
  }

  #token(): string | undefined | Promise<string | undefined> {
    return typeof this.auth === "object" ? this.auth.token() : this.#access;
  }
}

function tokensOf(body: unknown): Told | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const told = body as Told;
  return told.csrf_token === undefined && told.access_token === undefined ? told.guest_session : told;
}

/** The token in the cookie that scripts may read; it is the newest one, another tab may have signed in. */
function csrfCookie(): string | undefined {
  if (typeof document === "undefined") return undefined;
  const pairs = document.cookie.split("; ");
  for (const name of CSRF_COOKIES) {
    const found = pairs.find((pair) => pair.startsWith(`${name}=`));
    if (found !== undefined) return decodeURIComponent(found.slice(name.length + 1));
  }
  return undefined;
}
