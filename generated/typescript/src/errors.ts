import type { ErrorCode, ErrorRule, Fault } from "./models.js";

/** An answer that is not a success, with the API's error envelope taken apart. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** HTTP status of the answer. */
    readonly status: number,
    /** What went wrong, from a closed list; undefined when the answer was not the API's (a proxy, a broken connection). */
    readonly code: ErrorCode | undefined,
    message: string,
    /** Facts for programs; `rule` and `faults` are the usual ones. */
    readonly details: Readonly<Record<string, unknown>>,
    /** The id to quote when asking for help. */
    readonly requestId: string | undefined,
    /** Seconds to wait before the next try, when the answer says so. */
    readonly retryAfter: number | undefined,
  ) {
    super(message);
  }

  /** The business rule that said no, for 409 and 422. */
  get rule(): ErrorRule | undefined {
    return this.details["rule"] as ErrorRule | undefined;
  }

  /** Every fault of the request with its place, for 400. */
  get faults(): readonly Fault[] {
    return (this.details["faults"] as Fault[] | undefined) ?? [];
  }
}

/** Makes an `ApiError` of an answer and its parsed body. */
export function toApiError(response: Response, body: unknown): ApiError {
  const envelope = isRecord(body) && isRecord(body["error"]) ? body["error"] : {};
  const wait = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return new ApiError(
    response.status,
    envelope["code"] as ErrorCode | undefined,
    typeof envelope["message"] === "string" ? envelope["message"] : `HTTP ${response.status}`,
    isRecord(envelope["details"]) ? envelope["details"] : {},
    response.headers.get("X-Request-Id") ?? (envelope["request_id"] as string | undefined),
    Number.isFinite(wait) ? wait : undefined,
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
