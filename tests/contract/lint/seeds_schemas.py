"""Defects of schemas, words and examples, and of the events."""

from __future__ import annotations

from tests.contract.lint.seeds import (
    CREATE,
    EVENT,
    EVENT_DATA,
    EVENTS,
    GET,
    LIST,
    OPENAPI,
    ORDER,
    PARAMETERS,
    SCHEMAS,
    Seed,
)

_PRODUCT, _NEW = f"{SCHEMAS}Product.yaml", f"{SCHEMAS}ProductCreate.yaml"
_PAGE, _ORDER_CREATE = f"{SCHEMAS}ProductPage.yaml", f"{SCHEMAS}OrderCreate.yaml"
_STATUS, _COUNTRY = f"{SCHEMAS}ProductStatus.yaml", f"{SCHEMAS}Country.yaml"
_LIMIT = f"{PARAMETERS}Limit.yaml"

SHAPES = [
    Seed(
        "inline-enum",
        f"{SCHEMAS}Error.yaml",
        "    example: E404",
        "    enum: [E404]\n    example: E404",
        also=("example-valid",),
    ),
    Seed("inline-enum", _LIMIT, "  maximum: 100", "  maximum: 100\n  enum: [20, 50]"),
    Seed(
        "inline-object",
        f"{SCHEMAS}Order.yaml",
        "    $ref: Id.yaml",
        "    $ref: Id.yaml\n  buyer:\n    type: object\n    description: Who.\n    example: {}\n    properties:\n"
        "      id:\n        $ref: Id.yaml",
    ),
    Seed("request-closed", _ORDER_CREATE, "additionalProperties: false\n", ""),
    Seed(
        "request-closed",
        _NEW,
        "  tags:\n",
        "  extra:\n    type: object\n    description: Any.\n    example: {}\n  tags:\n",
    ),
    Seed("string-bounded", _NEW, "    maxLength: 100\n", ""),
    Seed("string-bounded", f"{PARAMETERS}Cursor.yaml", "  maxLength: 1024\n", ""),
    Seed("number-bounded", _NEW, "    maximum: 10000\n", ""),
    Seed("number-bounded", _LIMIT, "  maximum: 100\n", ""),
    Seed("array-bounded", _NEW, "    maxItems: 10\n", ""),
    Seed("multiple-of", _NEW, "    maximum: 10000\n", "    maximum: 10000\n    multipleOf: 0.5\n"),
    Seed(
        "openapi-30-dialect",
        _PRODUCT,
        "    example: Kettle",
        "    examples: [Kettle]\n    example: Kettle",
        also=("openapi-valid",),
    ),
    Seed(
        "openapi-30-dialect",
        _PRODUCT,
        "    type: string\n    description: Name",
        "    type: [string]\n    description: Name",
        also=("openapi-valid",),
    ),
    Seed(
        "openapi-30-dialect",
        f"{SCHEMAS}Amount.yaml",
        "minimum: 0\n",
        "exclusiveMinimum: 0\n",
        also=("openapi-valid",),
    ),
    Seed(
        "openapi-30-dialect",
        _PRODUCT,
        "  origin:\n    $ref: Country.yaml\n",
        "  origin:\n    anyOf:\n      - $ref: Country.yaml\n      - nullable: true\n        enum: [null]\n",
    ),
    Seed("time-named", _PRODUCT, "    nullable: true\n", ""),
    Seed("update-partial", f"{SCHEMAS}ProductUpdate.yaml", "minProperties: 1\n", ""),
    Seed(
        "update-partial", f"{SCHEMAS}ProductUpdate.yaml", "minProperties: 1\n", "minProperties: 1\nrequired: [name]\n"
    ),
    Seed("answer-currency", _PRODUCT, "  currency:\n", "  coin:\n", place=GET),
    Seed(
        "required-known",
        f"{SCHEMAS}Order.yaml",
        "required: [order_id]",
        "required: [order_id, total]",
        also=("example-valid",),
        place=f"{SCHEMAS}Order.yaml",
    ),
    Seed("default-valid", _LIMIT, "  default: 20", "  default: 200", also=("example-valid", "openapi-valid")),
    Seed("default-valid", _LIMIT, "  minimum: 1\n", "  minimum: 101\n", also=("example-valid", "openapi-valid")),
    Seed("length-agreed", _PRODUCT, "    example: Kettle\n", "    maxLength: 90\n    example: Kettle\n"),
    Seed("page-schema", _PAGE, "limit, next_cursor]", "limit]"),
]

WORDS = [
    Seed("description-operation", GET, "description: One product.\n", ""),
    Seed("description-operation", GET, "summary: Get a product\n", ""),
    Seed("description-operation", GET, "summary: Get a product", "summary: Get a product."),
    Seed("description-answer", GET, "    description: The product.\n", "    description: ''\n"),
    Seed("description-answer", "openapi/components/headers/ETag.yaml", "description: Version of the document.\n", ""),
    Seed("description-parameter", _LIMIT, "description: Items on a page.\n", ""),
    Seed("description-schema", _PRODUCT, "    description: Name for people.\n", ""),
    Seed("description-schema", _PRODUCT, "description: A product.\n", ""),
    Seed("description-tag", OPENAPI, "    description: Catalogue.\n", ""),
]

EXAMPLES = [
    Seed(
        "example-body",
        GET,
        "        example:\n          product_id: product-1\n          name: Kettle\n          price: 19.5\n"
        "          status: active\n",
        "",
    ),
    Seed("example-body", ORDER, "      example:\n        product_id: product-1\n", ""),
    Seed("example-parameter", _LIMIT, "example: 20\n", ""),
    Seed("example-property", _PRODUCT, "    example: Kettle\n", ""),
    Seed("example-property", f"{SCHEMAS}Id.yaml", "example: product-1\n", ""),
    Seed("example-valid", GET, "          price: 19.5\n", "          price: cheap\n"),
    Seed("example-valid", GET, "          name: Kettle\n", ""),
    Seed("example-valid", GET, "          status: active\n", "          status: gone\n"),
    Seed("example-valid", GET, "          status: active\n", "          status: active\n          origin: NO\n"),
    Seed("example-valid", CREATE, "        price: 19.5\n", "        price: 19.5\n        colour: red\n"),
    Seed("example-valid", LIST, "          page: 1\n", "          page: null\n"),
    Seed("example-valid", _PRODUCT, '"2026-01-25T10:45:00Z"', '"2026-01-25 10:45"'),
    Seed("example-valid", _LIMIT, "example: 20", "example: 200"),
    Seed("yaml-trap", _COUNTRY, 'enum: ["NO", "US"]', 'enum: [NO, "US"]', also=("example-valid",)),
    Seed("yaml-trap", _PRODUCT, "example: Kettle", "example: on"),
    Seed("yaml-trap", _PRODUCT, "example: Kettle", "example: 1.0"),
    Seed("yaml-trap", _PRODUCT, "example: Kettle", "example: null"),
    Seed(
        "yaml-key",
        _PRODUCT,
        "properties:\n",
        "properties:\n  on:\n    $ref: Id.yaml\n",
        also=("property-case", "openapi-valid"),
    ),
    Seed("yaml-key", GET, '  "200":', "  200:", also=("openapi-valid",)),
]

EVENT_DEFECTS = [
    Seed("asyncapi-valid", EVENTS, "asyncapi: 3.0.0", "asyncapi: 2.6.0"),
    Seed("asyncapi-valid", EVENTS, "    action: send\n", "    action: publish\n", also=("event-agreement",)),
    Seed(
        "asyncapi-valid",
        EVENT,
        "title: ProductCreated",
        "titel: ProductCreated",
        place=EVENTS,
        also=("event-complete",),
    ),
    Seed(
        "asyncapi-valid",
        EVENTS,
        '"#/channels/product-events"}',
        '"#/channels/product-evens"}',
        also=("event-agreement",),
    ),
    *(
        Seed("event-complete", EVENT, line, "")
        for line in (
            "x-partition-key: /data/product_id\n",
            "x-producers: [products]\n",
            "x-consumers: [crud-orders]\n",
            "x-status: planned\n",
            "summary: It happened.\n",
        )
    ),
    Seed(
        "event-complete",
        EVENT,
        "- $ref: ../components/EventEnvelope.yaml",
        "- $ref: ../components/schemas/ProductCreatedData.yaml",
    ),
    Seed(
        "event-complete",
        EVENT,
        "    payload:\n      event_id: event-1\n      event_type: ProductCreated\n"
        "      data:\n        product_id: some-1\n",
        "    headers: {}\n",
    ),
    Seed("event-agreement", EVENT, "    payload:\n      event_id: event-1\n", "    payload:\n"),
    Seed("event-agreement", EVENT, "enum: [ProductCreated]", "enum: [ProductMade]"),
    Seed("event-agreement", EVENT, "x-partition-key: /data/product_id", "x-partition-key: /data/note"),
    Seed("event-agreement", EVENT, "x-producers: [products]", "x-producers: [warehouse]", also=()),
    Seed("event-agreement", EVENT, "[crud-orders]", "[crud-products]", place=EVENTS),
    Seed("event-agreement", EVENTS, "topics: [product-events]", "topics: []"),
    Seed("event-orphan", "asyncapi/messages/ProductLost.yaml", "", "name: ProductLost\n"),
    Seed("event-orphan", "asyncapi/components/schemas/ProductLostData.yaml", "", "type: object\n"),
    Seed("event-orphan", "asyncapi/channels/lost-events.yaml", "", "address: lost-events\n"),
    Seed("emits-known", CREATE, "x-emits: [ProductCreated]", "x-emits: [ProductMade]"),
    Seed("event-description", EVENT_DATA, "    description: A word about it.\n", ""),
    Seed(
        "plan-event",
        "infra/contract/plan_events.txt",
        "product-events ProductCreated",
        "product-events ProductCreated\nproduct-events ProductSold",
        place=EVENTS,
    ),
    Seed(
        "plan-event",
        "infra/contract/plan_events.txt",
        "product-events ProductCreated",
        "order-events ProductCreated",
        place=EVENT,
    ),
]

SEEDS = [*SHAPES, *WORDS, *EXAMPLES, *EVENT_DEFECTS]
