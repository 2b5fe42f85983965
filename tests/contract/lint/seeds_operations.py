"""Defects of operations: documents, names, files, paths, errors, access, conventions, plan."""

from __future__ import annotations

from tests.contract.lint.seeds import (
    CREATE,
    DELETE,
    GET,
    LIST,
    OPENAPI,
    ORDER,
    PARAMETERS,
    PRODUCTS,
    SCHEMAS,
    UPDATE,
    Seed,
    answer,
)

_ID = f"{PARAMETERS}ProductId.yaml"

DOCUMENT = [
    Seed("readable", GET, "summary: Get a product", "summary: [Get a product"),
    Seed("readable", GET, "summary: Get a product", "summary: Get\nsummary: Get a product"),
    Seed("bundles", GET, "schemas/Product.yaml", "schemas/Prodct.yaml"),
    Seed(
        "bundles",
        OPENAPI,
        "paths/products/get_product.yaml",
        "paths/products/get_prodct.yaml",
        also=("operation-orphan",),
    ),
    Seed("openapi-version", OPENAPI, "openapi: 3.0.3", "openapi: 3.0.2"),
    Seed("openapi-valid", OPENAPI, "  title: A small shop\n", ""),
    Seed("openapi-valid", GET, "description: One product.", "description: One product.\nresponse: {}", place=OPENAPI),
    Seed(
        "openapi-valid",
        f"{SCHEMAS}Id.yaml",
        "maxLength: 64",
        "maxLength: sixty",
        place=OPENAPI,
        also=("example-valid", "asyncapi-valid", "event-agreement"),
    ),
]

NAMING = [
    Seed("operation-id-case", GET, "operationId: getProduct", "operationId: get_product"),
    Seed("operation-file-name", GET, "operationId: getProduct", "operationId: readProduct"),
    Seed("operation-folder", GET, "tags: [products]", "tags: [orders]"),
    Seed("operation-folder", GET, "tags: [products]", "tags: [products, orders]"),
    Seed(
        "operation-folder",
        OPENAPI,
        "  - name: products\n    description: Catalogue.\n",
        "",
        also=("cache-server",),
        place=GET,
    ),
    Seed("tag-used", OPENAPI, "components:", "  - name: cart\n    description: Cart.\ncomponents:"),
    Seed(
        "duplicate-operation-id",
        UPDATE,
        "operationId: updateProduct",
        "operationId: getProduct",
        also=("operation-file-name", "openapi-valid"),
    ),
    Seed("schema-name-case", f"{SCHEMAS}order_line.yaml", "", "type: string\n", also=("component-unused",)),
    Seed("property-case", f"{SCHEMAS}Error.yaml", "  code:", "  errorCode:", also=("required-known", "example-valid")),
    Seed("parameter-case", f"{PARAMETERS}StatusFilter.yaml", "name: status", "name: statusFilter"),
    Seed(
        "parameter-case", f"{PARAMETERS}IfMatch.yaml", "name: If-Match", "name: if_match", also=("errors-precondition",)
    ),
]

FILES = [
    Seed(
        "operation-inline",
        OPENAPI,
        "      $ref: paths/products/get_product.yaml",
        "      $ref: paths/products/get_product.yaml\n      summary: Get it",
        also=("reference-siblings",),
    ),
    Seed(
        "operation-shared",
        OPENAPI,
        "paths/orders/create_order.yaml",
        "paths/products/create_product.yaml",
        also=(
            "operation-orphan",
            "duplicate-operation-id",
            "openapi-valid",
            "plan-operation",
            "tag-used",
            "component-unused",
            "permission-used",
        ),
        place=CREATE,
    ),
    Seed("operation-orphan", f"{PRODUCTS}get_other.yaml", "", "operationId: getOther\n"),
    Seed("component-unused", f"{SCHEMAS}Basket.yaml", "", "type: string\ndescription: Unused.\n"),
    Seed("component-unused", f"{PARAMETERS}Basket.yaml", "", "name: basket\nin: query\n"),
    Seed("file-reference", GET, "../../components/schemas/Product.yaml", "'#/components/schemas/Product'"),
    Seed(
        "file-reference",
        GET,
        "../../components/schemas/Product.yaml",
        "#/components/schemas/Product",  # a comment for YAML: the reference is null
        also=("example-valid", "openapi-valid", "list-parameters"),
    ),
    Seed(
        "reference-siblings", f"{SCHEMAS}Order.yaml", "    $ref: Id.yaml", "    $ref: Id.yaml\n    description: Its id."
    ),
]

ROUTES = [
    Seed("path-shape", OPENAPI, "  /api/orders:", "  /api/Orders:", also=("plan-operation", "origin-extension")),
    Seed("path-shape", OPENAPI, "  /api/orders:", "  /api/orders/:", also=("plan-operation", "origin-extension")),
    Seed(
        "ambiguous-path",
        OPENAPI,
        "    put:\n      $ref: paths/products/update_product.yaml",
        "  /api/products/{id}:\n    put:\n      $ref: paths/products/update_product.yaml",
        also=("parameter-names-differ", "path-parameters", "openapi-valid", "plan-operation", "origin-extension"),
    ),
    Seed(
        "ambiguous-path",
        OPENAPI,
        "    put:\n      $ref: paths/products/update_product.yaml",
        "  /api/{product_id}/featured:\n    put:\n      $ref: paths/products/update_product.yaml",
        also=("plan-operation", "origin-extension"),
    ),
    Seed(
        "parameter-names-differ",
        OPENAPI,
        "    put:\n      $ref: paths/products/update_product.yaml",
        "  /api/products/{id}/parts:\n    put:\n      $ref: paths/products/update_product.yaml",
        also=("path-parameters", "openapi-valid", "plan-operation", "origin-extension"),
    ),
    Seed(
        "path-parameters",
        GET,
        "  - $ref: ../../components/parameters/ProductId.yaml\n",
        "  - $ref: ../../components/parameters/StatusFilter.yaml\n",
        also=("openapi-valid",),
    ),
    Seed("path-parameters", _ID, "required: true", "required: false", place=GET, also=("openapi-valid",)),
    Seed(
        "duplicate-parameter",
        LIST,
        "parameters/Limit.yaml",
        "parameters/Page.yaml",
        also=("list-parameters", "openapi-valid", "component-unused"),
    ),
]

ERRORS = [
    *(
        Seed("errors-always", GET, answer(status, name), "")
        for status, name in (
            ("400", "InvalidRequest"),
            ("429", "RateLimited"),
            ("500", "InternalError"),
            ("503", "Unavailable"),
        )
    ),
    Seed("errors-role", UPDATE, answer("401", "Unauthorized"), ""),
    Seed("errors-role", UPDATE, answer("403", "Forbidden"), ""),
    Seed("errors-token", GET, answer("401", "Unauthorized"), ""),
    Seed("errors-token", ORDER, answer("403", "Forbidden"), ""),
    Seed("errors-body", ORDER, answer("413", "PayloadTooLarge"), ""),
    Seed("errors-body", ORDER, answer("415", "UnsupportedMediaType"), ""),
    Seed("errors-body", GET, "responses:\n", "responses:\n" + answer("413", "PayloadTooLarge")),
    Seed("errors-precondition", UPDATE, answer("412", "PreconditionFailed"), "", also=("component-unused",)),
    Seed(
        "errors-precondition",
        UPDATE,
        "  - $ref: ../../components/parameters/IfMatch.yaml\n",
        "",
        also=("component-unused",),
    ),
    Seed("errors-not-found", GET, answer("404", "NotFound"), ""),
    Seed("errors-planned", CREATE, answer("501", "NotImplemented"), "", also=("component-unused",)),
    Seed("errors-planned", CREATE, "x-status: planned\n", ""),
    Seed("error-answer", ORDER, answer("422", "Unprocessable"), answer("422", "Conflict"), also=("component-unused",)),
    Seed(
        "error-answer",
        ORDER,
        answer("422", "Unprocessable"),
        '  "422":\n    description: Own.\n',
        also=("component-unused",),
    ),
    Seed("error-answer", ORDER, answer("422", "Unprocessable"), answer("418", "Unprocessable")),
    Seed("success-answer", DELETE, '  "204":\n    description: Gone.\n', ""),
]

ACCESS = [
    Seed("role-known", GET, "x-required-role: anonymous\n", "", also=("errors-token", "cache-shape")),
    Seed("role-known", GET, "x-required-role: anonymous", "x-required-role: guest", also=("cache-shape",)),
    Seed(
        "role-order",
        OPENAPI,
        "  staff:\n    permissions: [read:products, write:orders]",
        "  staff:\n    permissions: [read:products]",
    ),
    Seed("permission-known", UPDATE, "[manage:catalog]", "[manage:catalogue]"),
    Seed("permission-held", UPDATE, "x-required-role: admin", "x-required-role: staff"),
    Seed(
        "permission-held",
        GET,
        "x-required-role: anonymous",
        "x-required-role: anonymous\nx-permissions: [manage:catalog]",
        also=("errors-token",),
    ),
    Seed("permission-used", OPENAPI, "write:orders, manage:catalog]", "write:orders, manage:catalog, manage:nothing]"),
    Seed("security-derived", GET, "parameters:\n", "security:\n  - bearerAuth: []\nparameters:\n"),
    Seed("idempotency-key", ORDER, "x-idempotent: true\n", ""),
    Seed(
        "idempotency-key",
        ORDER,
        "parameters:\n  - $ref: ../../components/parameters/IdempotencyKey.yaml\n",
        "",
        also=("component-unused",),
    ),
    Seed(
        "idempotency-key",
        UPDATE,
        "parameters:\n",
        "x-idempotent: true\nparameters:\n  - $ref: ../../components/parameters/IdempotencyKey.yaml\n",
    ),
]

CONVENTIONS = [
    Seed("known-keys", GET, "x-cache:", "x-cahce:", also=("cache-server",)),
    Seed("known-keys", CREATE, "x-status: planned", "x-status: done", also=("errors-planned",)),
    Seed("page-known", LIST, "homepage, category", "homepage, home, category"),
    Seed("page-covered", LIST, "homepage, category", "category", place=OPENAPI),
    Seed("agent-known", LIST, "service: catalog-search", "service: catalogue-search"),
    Seed("agent-known", LIST, "tool: /catalog/search, fallback: own", "tool: /catalog/search"),
    Seed(
        "list-parameters", LIST, "  - $ref: ../../components/parameters/Cursor.yaml\n", "", also=("component-unused",)
    ),
    Seed(
        "list-parameters",
        LIST,
        "schemas/ProductPage.yaml",
        "schemas/Product.yaml",
        also=("component-unused", "example-valid"),
    ),
    Seed("entity-tag", UPDATE, "    headers:\n      ETag:\n        $ref: ../../components/headers/ETag.yaml\n", ""),
    Seed("deprecation", DELETE, 'x-sunset: "2027-06-30"\n', ""),
    Seed("deprecation", DELETE, 'x-sunset: "2027-06-30"', 'x-sunset: "2027-06-31"'),
    Seed("deprecation", DELETE, 'x-sunset: "2027-06-30"', 'x-sunset: "2025-06-30"'),
    Seed("deprecation", DELETE, "deprecated: true\n", ""),
    Seed("expected-statuses", CREATE, "x-expected-statuses: [409]", "x-expected-statuses: [404]"),
    Seed("rate-limit-shape", LIST, "{per_minute: 60, burst: 20}", "{per_minute: 60}"),
    Seed("cache-shape", LIST, "{max_age: 60, scope: public}", "{max_age: 60, scope: shared}"),
    Seed("cache-shape", UPDATE, "x-origin:", "x-cache: {max_age: 60, scope: private}\nx-origin:"),
    Seed("cache-server", LIST, "scope: public}", "scope: public, server: 60}"),
    Seed("cache-server", LIST, "scope: public}", "scope: public, shared: false}"),
    Seed("cache-server", GET, "server: 60", "server: 0"),
    Seed("cache-server", GET, "of: [products]", "of: [product]"),
    Seed("cache-server", GET, "of: [products]", "of: [products], shared: true"),
    Seed("cache-server", GET, ", server: 60, of: [products]", ""),
    Seed("cache-server", GET, "of: [products]", "for: [products]"),
]

PLAN = [
    Seed(
        "plan-operation",
        OPENAPI,
        "    delete:\n      $ref: paths/products/delete_product.yaml\n",
        "",
        also=("operation-orphan",),
    ),
    Seed("origin-extension", UPDATE, "x-origin: extension\n", ""),
    Seed("origin-extension", GET, "x-required-role:", "x-origin: extension\nx-required-role:"),
]

SEEDS = [*DOCUMENT, *NAMING, *FILES, *ROUTES, *ERRORS, *ACCESS, *CONVENTIONS, *PLAN]
