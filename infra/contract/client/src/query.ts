import type { QueryClient, UseMutationOptions, UseMutationResult, UseQueryOptions, UseQueryResult } from "@tanstack/react-query";
import type { FetchResponse, MaybeOptionalInit } from "openapi-fetch";
import createQueryClient, { type OpenapiQueryClient } from "openapi-react-query";
import type { HttpMethod, MediaType, PathsWithMethod, RequiredKeysOf } from "openapi-typescript-helpers";

import { type HubClient, unwrap } from "./client.js";
import type { ApiError } from "./errors.js";
import type { paths } from "./schema.js";

type Operation<M extends HttpMethod, P extends keyof paths> = M extends keyof paths[P] ? paths[P][M] : never;
type Init<M extends HttpMethod, P extends keyof paths> = MaybeOptionalInit<paths[P], M & keyof paths[P]>;
type Data<M extends HttpMethod, P extends keyof paths> =
  Operation<M, P> extends infer Op extends Record<string | number, unknown>
    ? NonNullable<FetchResponse<Op, object, MediaType>["data"]>
    : never;
type QueryOptions<T> = Omit<UseQueryOptions<T, ApiError>, "queryKey" | "queryFn">;
type MutationOptions<T, V> = Omit<UseMutationOptions<T, ApiError, V>, "mutationKey" | "mutationFn">;

/** Reads one operation: parameters first where it has some. */
export type QueryHook<P extends PathsWithMethod<paths, "get">> = (
  ...args: RequiredKeysOf<Init<"get", P>> extends never
    ? [init?: Init<"get", P>, options?: QueryOptions<Data<"get", P>>, client?: QueryClient]
    : [init: Init<"get", P>, options?: QueryOptions<Data<"get", P>>, client?: QueryClient]
) => UseQueryResult<Data<"get", P>, ApiError>;

/** Calls one operation that changes something; parameters and body go to `mutate`. */
export type MutationHook<M extends HttpMethod, P extends PathsWithMethod<paths, M>> = (
  options?: MutationOptions<Data<M, P>, Init<M, P>>,
  client?: QueryClient,
) => UseMutationResult<Data<M, P>, ApiError, Init<M, P>>;

/** `openapi-react-query` over a client: `api.useQuery("get", path, …)`. Errors are `ApiError`. */
export type HubQueries = OpenapiQueryClient<paths>;

type Call = (path: string, init?: unknown) => Promise<{ data?: unknown; error?: unknown; response: Response }>;

/** The generic hooks over a client; `useInfiniteQuery` takes `pageParamName: "cursor"`. */
export function createQueries(client: HubClient): HubQueries {
  const throwing = (method: "GET" | "PUT" | "POST" | "DELETE") => async (path: string, init?: unknown) => {
    let response: Response | undefined;
    const call = client[method] as unknown as Call;
    const data = await unwrap(call(path, init).then((answer) => ((response = answer.response), answer)));
    return { data, response };
  };
  const methods = { GET: throwing("GET"), PUT: throwing("PUT"), POST: throwing("POST"), DELETE: throwing("DELETE") };
  return createQueryClient<paths>({ ...client, ...methods } as unknown as HubClient);
}

/** The hook of one read operation. */
export function query<P extends PathsWithMethod<paths, "get">>(api: HubQueries, path: P): QueryHook<P> {
  const use = api.useQuery as unknown as (method: "get", path: P, ...args: unknown[]) => ReturnType<QueryHook<P>>;
  return (...args) => use("get", path, ...args);
}

/** The hook of one write operation. */
export function mutation<M extends HttpMethod, P extends PathsWithMethod<paths, M>>(
  api: HubQueries,
  method: M,
  path: P,
): MutationHook<M, P> {
  const use = api.useMutation as unknown as (method: M, path: P, ...args: unknown[]) => ReturnType<MutationHook<M, P>>;
  return (...args) => use(method, path, ...args);
}
