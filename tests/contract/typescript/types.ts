// What the compiler must know, and what it must refuse. Compiled, never run.
import { ApiError, createClient, unwrap, type Product, type ProductPage } from "../../../generated/typescript/src/index.js";
import { createHooks } from "../../../generated/typescript/src/hooks.js";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const yes = <T extends true>(): T => true as T;

const hub = createClient({ baseUrl: "http://localhost" });

export async function calls(): Promise<void> {
  const page = await unwrap(hub.GET("/api/products", { params: { query: { limit: 20, filters: { brand: ["Apple"] } } } }));
  yes<Same<typeof page, ProductPage>>();
  const product = await unwrap(hub.GET("/api/products/{product_id}", { params: { path: { product_id: "product-1" } } }));
  yes<Same<typeof product, Product>>();
  const { error } = await hub.GET("/api/products/{product_id}", { params: { path: { product_id: "product-1" } } });
  if (error !== undefined) yes<Same<(typeof error)["error"]["message"], string>>();

  // @ts-expect-error a path that is not in the contract
  await hub.GET("/api/prodcts");
  // @ts-expect-error a path parameter is missing
  await hub.GET("/api/products/{product_id}");
  // @ts-expect-error a query parameter of the wrong type
  await hub.GET("/api/products", { params: { query: { limit: "20" } } });
  // @ts-expect-error a filter that does not exist
  await hub.GET("/api/products", { params: { query: { filters: { colour: "red" } } } });
  // @ts-expect-error a body without its required members
  await hub.POST("/api/auth/login", { body: { email: "customer@example.com" } });
  // @ts-expect-error a method that the path does not have
  await hub.DELETE("/api/products", {});
}

const { useListProducts, useGetProduct, useLogin } = createHooks(hub);

export function Page(): string {
  const products = useListProducts({ params: { query: { category: "electronics" } } }, { enabled: true });
  yes<Same<typeof products.data, ProductPage | undefined>>();
  yes<Same<typeof products.error, ApiError | null>>();
  const login = useLogin({ onError: (error) => console.error(error.rule, error.faults) });
  login.mutate({ body: { email: "customer@example.com", password: "HolidayPeak!2026" } });

  // @ts-expect-error the path parameter is missing
  useGetProduct();
  // @ts-expect-error a body without its required members
  login.mutate({ body: { email: "customer@example.com" } });
  return String(products.data?.items[0]?.name);
}
