export { type ClientOptions, createClient, type HubClient, idempotencyKey, querySerializer, unwrap } from "./client.js";
export { ApiError, toApiError } from "./errors.js";
export type * from "./models.js";
export type { components, operations, paths } from "./schema.js";
export type { Auth } from "./session.js";
