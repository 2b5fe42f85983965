// A cookie jar for Node, so that the scenario is a browser to the API: it keeps cookies and says its origin.
export function browser(origin: string): (request: Request) => Promise<Response> {
  const cookies = new Map<string, { readonly value: string; readonly path: string }>();

  function keep(line: string): void {
    const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
    const at = pair.indexOf("=");
    const said = new Map(attributes.map((part) => part.split("=", 2) as [string, string?]).map(([k, v]) => [k.toLowerCase(), v ?? ""]));
    const name = pair.slice(0, at);
    if (said.get("max-age") === "0") cookies.delete(name);
    else cookies.set(name, { value: pair.slice(at + 1), path: said.get("path") ?? "/" });
  }

  return async (request) => {
    const { pathname } = new URL(request.url);
    const sent = [...cookies].filter(([, cookie]) => pathname.startsWith(cookie.path));
    if (sent.length > 0) request.headers.set("Cookie", sent.map(([name, { value }]) => `${name}=${value}`).join("; "));
    request.headers.set("Origin", origin);
    const response = await fetch(request);
    response.headers.getSetCookie().forEach(keep);
    return response;
  };
}
