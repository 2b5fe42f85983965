# Written by `make generate` from the contract. Do not edit.

from __future__ import annotations

from typing import Annotated, Any, Literal

from handlers.contract.formats import Day, Moment, Uri
from pydantic import MISSING, BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

AgentName = TypeAliasType(
    "AgentName",
    Annotated[
        Literal['ecommerce-catalog-search', 'ecommerce-product-detail-enrichment', 'ecommerce-cart-intelligence', 'ecommerce-checkout-support', 'ecommerce-order-status', 'product-management-normalization-classification', 'product-management-acp-transformation', 'product-management-consistency-validation', 'product-management-assortment-optimization', 'crm-profile-aggregation', 'crm-segmentation-personalization', 'crm-campaign-intelligence', 'crm-support-assistance', 'inventory-health-check', 'inventory-jit-replenishment', 'inventory-reservation-validation', 'inventory-alerts-triggers', 'logistics-eta-computation', 'logistics-carrier-selection', 'logistics-returns-support', 'logistics-route-issue-detection', 'catalog-search', 'product-detail-enrichment', 'cart-intelligence', 'checkout-support', 'order-status', 'normalization-classification', 'acp-transformation', 'consistency-validation', 'assortment-optimization', 'profile-aggregation', 'segmentation-personalization', 'campaign-intelligence', 'support-assistance', 'health-check', 'jit-replenishment', 'reservation-validation', 'alerts-triggers', 'eta-computation', 'carrier-selection', 'returns-support', 'route-issue-detection'],
        Field(
            description='Name of an AI agent, in full or without its domain (`catalog-search` is `ecommerce-catalog-search`). `x-minimum-role` says who may ask it directly.\n'
        ),
    ],
)


AnalyticsInterval = TypeAliasType(
    "AnalyticsInterval",
    Annotated[
        Literal['day', 'week', 'month'],
        Field(description='The length of one point of a series. Weeks begin on Monday.'),
    ],
)


AttributeValue = TypeAliasType(
    "AttributeValue", Annotated[str, Field(description='A wanted value.', max_length=200, min_length=1)]
)


AttributeValues = TypeAliasType(
    "AttributeValues",
    Annotated[
        list[AttributeValue],
        Field(
            description='Values of which one has to match, compared without regard to case.',
            max_length=20,
            min_length=1,
        ),
    ],
)


AttributesAdditionalProperty = TypeAliasType(
    "AttributesAdditionalProperty",
    Annotated[str, Field(description='Value of the attribute.', max_length=200, min_length=1)],
)


Attributes = TypeAliasType("Attributes", Annotated[dict[str, AttributesAdditionalProperty], Field(max_length=50)])


AuditEntityType = TypeAliasType(
    "AuditEntityType",
    Annotated[
        Literal['user', 'address', 'payment_method', 'product', 'category', 'banner', 'review', 'cart', 'promotion', 'inventory', 'order', 'payment', 'return', 'ticket', 'shipment', 'config', 'service', 'event'],
        Field(description='The kind of thing an audit entry is about.'),
    ],
)


Carrier = TypeAliasType("Carrier", Annotated[Literal['FedEx', 'UPS', 'USPS', 'DHL'], Field(description='A carrier.')])


class CarrierInquiryCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    issue_description: Annotated[
        str, Field(description='The issue, as it is sent to the carrier.', max_length=2000, min_length=1)
    ]


class CartItemUpdate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    quantity: Annotated[
        int | MISSING, Field(description='Units wanted. To take the line out, delete it.', ge=1, le=99)
    ] = MISSING


class CartMerge(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    guest_token: Annotated[
        str, Field(description='The `access_token` of the guest session.', max_length=4096, min_length=1)
    ]


class CategoryUpdate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    name: Annotated[
        str | MISSING,
        Field(
            description='Name of the category.',
            max_length=100,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ] = MISSING
    description: Annotated[
        str | MISSING, Field(description='Text of the category page. Empty removes it.', max_length=2000)
    ] = MISSING
    parent_slug: Annotated[
        str | None | MISSING,
        Field(
            description='Slug of the category above; null moves it to the top.',
            max_length=100,
            min_length=1,
            pattern='^[a-z0-9]+(-[a-z0-9]+)*$',
        ),
    ] = MISSING
    image_url: Annotated[
        str | None | MISSING,
        Field(
            description='Picture of the category; null removes it.', max_length=2048, min_length=8, pattern='^https?://'
        ),
    ] = MISSING
    position: Annotated[int | MISSING, Field(description='Place among its siblings.', ge=0, le=10000)] = MISSING


ConfigKind = TypeAliasType(
    "ConfigKind",
    Annotated[
        Literal['setting', 'feature_flag'], Field(description='Whether an entry is a setting or a feature flag.')
    ],
)


ConfigValue1 = TypeAliasType(
    "ConfigValue1", Annotated[int, Field(description='A whole number.', ge=-9007199254740991, le=9007199254740991)]
)


ConfigValue2 = TypeAliasType(
    "ConfigValue2", Annotated[float, Field(description='A number.', ge=-1000000000000.0, le=1000000000000.0)]
)


ConfigValue3 = TypeAliasType("ConfigValue3", Annotated[str, Field(description='A text.', max_length=4000)])


Date = TypeAliasType(
    "Date", Annotated[Day, Field(description="A calendar day, RFC 3339 full-date, in the shop's time zone.")]
)


DeadLetterStatus = TypeAliasType(
    "DeadLetterStatus",
    Annotated[
        Literal['open', 'replaying', 'replayed'],
        Field(description='What became of a dead letter: nothing yet, sent again and under way, or handled after all.'),
    ],
)


class ForgotPasswordRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    email: Annotated[
        str,
        Field(
            description='E-mail address. Compared without regard to the case of letters; dots and tags are kept.',
            max_length=254,
            min_length=3,
        ),
    ]


class LoginRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    email: Annotated[
        str,
        Field(
            description='E-mail address. Compared without regard to the case of letters; dots and tags are kept.',
            max_length=254,
            min_length=3,
        ),
    ]
    password: Annotated[
        str,
        Field(
            description='The password. One that no account could have is answered like any wrong one, with 401.',
            max_length=256,
            min_length=1,
        ),
    ]


class MfaLoginRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    mfa_token: Annotated[
        str, Field(description='The `mfa_token` that `login` answered.', max_length=2048, min_length=1)
    ]
    code: Annotated[
        str,
        Field(
            description='Six digits of the authenticator app, or one of the recovery codes (`XXXXX-XXXXX`; case and hyphen do not matter).',
            max_length=11,
            min_length=6,
            pattern='^([0-9]{6}|[A-Za-z0-9]{5}-?[A-Za-z0-9]{5})$',
        ),
    ]


class NotificationPreferencesUpdate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    email_marketing: Annotated[bool | MISSING, Field(description='Offers and news by e-mail.')] = MISSING
    email_orders: Annotated[
        bool | MISSING,
        Field(description='Progress of orders by e-mail. Confirmations and receipts are sent in any case.'),
    ] = MISSING
    sms_shipping: Annotated[bool | MISSING, Field(description='Progress of deliveries by SMS. Needs a `phone`.')] = (
        MISSING
    )


OrderAttention = TypeAliasType(
    "OrderAttention",
    Annotated[
        Literal['carrier_silent'],
        Field(
            description='Why staff have to look at an order. `carrier_silent`: it is paid and no carrier was booked within 30 minutes, because the carrier agent is silent. The\nmoney stays; it ends by itself as soon as a parcel is booked.\n'
        ),
    ],
)


OrderStatus = TypeAliasType(
    "OrderStatus",
    Annotated[
        Literal['pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded'],
        Field(
            description='Where an order stands in the order process.\n\n| Status | Meaning |\n|---|---|\n| `pending` | Placed; stock is being reserved. |\n| `awaiting_payment` | Stock is reserved; a saved method is being charged, or the customer has until `payment_due_at` to pay, also after a declined attempt. With `payment_status` `processing` the customer has paid by a method that is settled after days. |\n| `payment_failed` | Ten attempts to pay have failed; the stock is free again. Final. |\n| `paid` | Paid; a carrier is being chosen. |\n| `processing` | A shipment is scheduled and the parcel is being prepared. |\n| `shipped` | With the carrier. |\n| `delivered` | At its destination. |\n| `completed` | Closed after delivery; points are credited. |\n| `cancelled` | Ended before shipping, by the customer, staff or the process; `cancellation.reason` says why. A payment is refunded. Final. |\n| `refunded` | Refunded in full after shipping. Final. |\n\n`x-transitions` is the whole process: the next status by status and trigger. What is not in it leaves the status as it is.\nDrawn as a diagram at [`/docs/states`](/docs/states#OrderStatus).\n'
        ),
    ],
)


class PasswordChange(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    old_password: Annotated[
        str,
        Field(
            description='The password that is valid now. A wrong one answers 422 with the rule `invalid_credentials`.',
            max_length=256,
            min_length=1,
        ),
    ]
    new_password: Annotated[
        str,
        Field(
            description='A new password: 8 to 72 characters and at most 72 bytes in UTF-8, the limit of bcrypt (422 `password_too_long` where\ncharacters fit and bytes do not). Not on the list of common passwords, and without the e-mail address in it. Never\nanswered.\n',
            max_length=72,
            min_length=8,
        ),
    ]
    code: Annotated[
        str | MISSING,
        Field(
            description='Six digits of the authenticator app, or one of the recovery codes (`XXXXX-XXXXX`; case and hyphen do not matter).',
            max_length=11,
            min_length=6,
            pattern='^([0-9]{6}|[A-Za-z0-9]{5}-?[A-Za-z0-9]{5})$',
        ),
    ] = MISSING


class PaymentConfirm(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    payment_intent_id: Annotated[
        str,
        Field(
            description='Id of the payment intent at Stripe.', max_length=128, min_length=1, pattern='^[A-Za-z0-9_]+$'
        ),
    ]
    payment_method: Annotated[
        str | MISSING,
        Field(
            description='A payment method of Stripe to confirm with. Leave it out when Stripe.js has confirmed the payment already.',
            max_length=128,
            min_length=1,
            pattern='^[A-Za-z0-9_]+$',
        ),
    ] = MISSING
    payment_method_id: Annotated[
        str | MISSING,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ] = MISSING
    email: Annotated[
        str | MISSING,
        Field(
            description='E-mail address. Compared without regard to the case of letters; dots and tags are kept.',
            max_length=254,
            min_length=3,
        ),
    ] = MISSING


class PaymentIntentCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    order_id: Annotated[
        str,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ]
    amount: Annotated[
        float,
        Field(
            description='An amount of money in major units, with no more decimals than its currency has.',
            ge=0.0,
            le=99999999.99,
        ),
    ]
    email: Annotated[
        str | MISSING,
        Field(
            description='E-mail address. Compared without regard to the case of letters; dots and tags are kept.',
            max_length=254,
            min_length=3,
        ),
    ] = MISSING


class PreferencesUpdate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    language: Annotated[
        str | MISSING,
        Field(
            description='Language of mails and texts, BCP 47: a language, and a region where it matters. Kept for every language; texts are\nEnglish for now.\n',
            max_length=5,
            min_length=2,
            pattern='^[a-z]{2}(-[A-Z]{2})?$',
        ),
    ] = MISSING
    currency: Annotated[
        str | MISSING,
        Field(
            description='ISO 4217 code of the currency that the amounts beside it are in.',
            max_length=3,
            min_length=3,
            pattern='^[A-Z]{3}$',
        ),
    ] = MISSING
    notifications: NotificationPreferencesUpdate | MISSING = MISSING


class PriceRange(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    min: Annotated[
        float | MISSING,
        Field(
            description='An amount of money in major units, with no more decimals than its currency has.',
            ge=0.0,
            le=99999999.99,
        ),
    ] = MISSING
    max: Annotated[
        float | MISSING,
        Field(
            description='An amount of money in major units, with no more decimals than its currency has.',
            ge=0.0,
            le=99999999.99,
        ),
    ] = MISSING
    currency: Annotated[
        str | MISSING,
        Field(
            description='ISO 4217 code of the currency that the amounts beside it are in.',
            max_length=3,
            min_length=3,
            pattern='^[A-Z]{3}$',
        ),
    ] = MISSING


BrandItem = TypeAliasType("BrandItem", Annotated[str, Field(description='A brand.', max_length=100, min_length=1)])


class ProductPriceInput(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    amount: Annotated[
        float,
        Field(
            description='An amount of money in major units, with no more decimals than its currency has.',
            ge=0.0,
            le=99999999.99,
        ),
    ]
    currency: Annotated[
        str,
        Field(
            description='ISO 4217 code of the currency that the amounts beside it are in.',
            max_length=3,
            min_length=3,
            pattern='^[A-Z]{3}$',
        ),
    ]
    compare_at: Annotated[
        float | MISSING,
        Field(
            description='An amount of money in major units, with no more decimals than its currency has.',
            ge=0.0,
            le=99999999.99,
        ),
    ] = MISSING
    tax_rate: Annotated[float, Field(description='Tax rate as a fraction.', ge=0.0, le=1.0)]


class ProductSeoInput(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    meta_title: Annotated[str | MISSING, Field(description='Title of the page.', max_length=200, min_length=1)] = (
        MISSING
    )
    meta_description: Annotated[
        str | MISSING, Field(description='Description of the page.', max_length=500, min_length=1)
    ] = MISSING
    canonical_url: Annotated[
        str | MISSING,
        Field(
            description='Where a link leads, either a path of the shop that starts with one `/`, or an absolute http(s) address.',
            max_length=2048,
            min_length=1,
            pattern='^(https?://[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]+|/([^/\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff][^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]*)?)$',
        ),
    ] = MISSING


ProductSort = TypeAliasType(
    "ProductSort",
    Annotated[
        Literal['relevance', 'price', 'name', 'created_at', 'rating', 'popularity'],
        Field(
            description='What products are sorted by. `relevance` is how well they match the words of a search, and equals `popularity` where there are no\nwords; `popularity` counts purchases and views, a purchase as much as twenty views.\n'
        ),
    ],
)


class PromoCodeApply(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    code: Annotated[
        str,
        Field(
            description='Code of a promotion. Compared without regard to the case of letters, answered in capitals.',
            max_length=40,
            min_length=2,
            pattern='^[A-Za-z0-9][A-Za-z0-9_-]*$',
        ),
    ]


class PromotionUpdate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
        arbitrary_types_allowed=True,
    )
    description: Annotated[
        str | None | MISSING,
        Field(description='What it is for, for administrators; null removes it.', max_length=300, min_length=1),
    ] = MISSING
    type: Annotated[
        Literal['percentage', 'fixed', 'free_shipping'] | MISSING,
        Field(
            description='What a promotion gives. `percentage`: a share of the subtotal. `fixed`: an amount off the subtotal, at most all of it. `free_shipping`: the\nstandard method costs nothing.\n'
        ),
    ] = MISSING
    value: Annotated[
        float | MISSING,
        Field(
            description='Percent with `percentage`, an amount with `fixed`, 0 with `free_shipping`.',
            ge=0.0,
            le=99999999.99,
        ),
    ] = MISSING
    currency: Annotated[
        str | MISSING,
        Field(
            description='ISO 4217 code of the currency that the amounts beside it are in.',
            max_length=3,
            min_length=3,
            pattern='^[A-Z]{3}$',
        ),
    ] = MISSING
    minimum_subtotal: Annotated[
        float | None | MISSING,
        Field(
            description='Subtotal from which it applies, in `currency`; null removes the limit.', ge=0.0, le=99999999.99
        ),
    ] = MISSING
    starts_at: Annotated[
        Moment | None | MISSING, Field(description='Usable from this moment on; null removes the limit.')
    ] = MISSING
    ends_at: Annotated[
        Moment | None | MISSING, Field(description='Usable until this moment; null removes the limit.')
    ] = MISSING
    once_per_customer: Annotated[
        bool | MISSING, Field(description="Whether a customer, or a guest's e-mail address, can use it only once.")
    ] = MISSING
    max_redemptions: Annotated[
        int | None | MISSING,
        Field(
            description='How often it can be used in all; null removes the limit. Not below what has been redeemed.',
            ge=1,
            le=100000000,
        ),
    ] = MISSING
    active: Annotated[bool | MISSING, Field(description='Whether it can be used.')] = MISSING


class ReauthenticationRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    password: Annotated[
        str | MISSING,
        Field(
            description='The password that is valid now. A wrong one answers 422 with the rule `invalid_credentials`.',
            max_length=256,
            min_length=1,
        ),
    ] = MISSING
    code: Annotated[
        str | MISSING,
        Field(
            description='Six digits of the authenticator app, or one of the recovery codes (`XXXXX-XXXXX`; case and hyphen do not matter).',
            max_length=11,
            min_length=6,
            pattern='^([0-9]{6}|[A-Za-z0-9]{5}-?[A-Za-z0-9]{5})$',
        ),
    ] = MISSING


ReportFormat = TypeAliasType(
    "ReportFormat", Annotated[Literal['csv', 'xlsx'], Field(description='Format of a report file.')]
)


class ResendVerificationRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    email: Annotated[
        str,
        Field(
            description='E-mail address. Compared without regard to the case of letters; dots and tags are kept.',
            max_length=254,
            min_length=3,
        ),
    ]


class ResetPasswordRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    token: Annotated[
        str, Field(description='Token in the link of the mail; 1 hour, used once.', max_length=256, min_length=1)
    ]
    new_password: Annotated[
        str,
        Field(
            description='A new password: 8 to 72 characters and at most 72 bytes in UTF-8, the limit of bcrypt (422 `password_too_long` where\ncharacters fit and bytes do not). Not on the list of common passwords, and without the e-mail address in it. Never\nanswered.\n',
            max_length=72,
            min_length=8,
        ),
    ]


class ReturnApproval(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    instructions: Annotated[
        str | MISSING,
        Field(description='What the customer should do; a standard text without it.', max_length=1000, min_length=1),
    ] = MISSING
    notes: Annotated[str | MISSING, Field(description='For staff.', max_length=2000)] = MISSING


class ReturnReceiptItem(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    order_item_id: Annotated[
        str,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ]
    quantity: Annotated[int, Field(description='Number of units that came back.', ge=0, le=999)]
    condition: Annotated[
        Literal['new', 'opened', 'damaged', 'missing'],
        Field(description='Condition of goods that came back. Only `new` and `opened` go back to stock.'),
    ]


class ReturnRejection(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    reason: Annotated[str, Field(description='The reason, sent to the customer.', max_length=1000, min_length=1)]
    notes: Annotated[str | MISSING, Field(description='For staff.', max_length=2000)] = MISSING


ReturnStatus = TypeAliasType(
    "ReturnStatus",
    Annotated[
        Literal['requested', 'approved', 'rejected', 'received', 'refunded'],
        Field(
            description='Where a return stands. `requested` → `approved` or `rejected`; `approved` → `received` when the goods are back; `received` → `refunded` when the\nmoney is returned. An exchange ends with `received`.\n'
        ),
    ],
)


ReviewSort = TypeAliasType(
    "ReviewSort",
    Annotated[
        Literal['recent', 'helpful', 'rating_high', 'rating_low'],
        Field(description='Order of reviews. `helpful` puts those first that most readers found helpful.'),
    ],
)


class ReviewVote(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    helpful: Annotated[bool, Field(description='Whether the review was helpful.')]


ServiceKind = TypeAliasType(
    "ServiceKind",
    Annotated[
        Literal['application', 'agent', 'infrastructure'],
        Field(
            description='What a service is: a process of this backend, an AI agent, or something the backend stands on.'
        ),
    ],
)


class SignupRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    name: Annotated[
        str,
        Field(
            description="A person's full name, as it goes on labels and letters. No control characters, not only blanks.",
            max_length=120,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ]
    email: Annotated[
        str,
        Field(
            description='E-mail address. Compared without regard to the case of letters; dots and tags are kept.',
            max_length=254,
            min_length=3,
        ),
    ]
    password: Annotated[
        str,
        Field(
            description='A new password: 8 to 72 characters and at most 72 bytes in UTF-8, the limit of bcrypt (422 `password_too_long` where\ncharacters fit and bytes do not). Not on the list of common passwords, and without the e-mail address in it. Never\nanswered.\n',
            max_length=72,
            min_length=8,
        ),
    ]
    newsletter_opt_in: Annotated[bool, Field(description='Whether the customer wants the newsletter.')] = False


SortOrder = TypeAliasType("SortOrder", Annotated[Literal['asc', 'desc'], Field(description='Direction of a sort.')])


class StripeEvent(BaseModel):
    model_config = ConfigDict(
        extra='allow',
    )
    id: Annotated[
        str,
        Field(description='Id of the event. An event that comes twice is handled once.', max_length=255, min_length=1),
    ]
    type: Annotated[str, Field(description='Type of the event.', max_length=128, min_length=1)]


class TicketAssignment(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    staff_id: Annotated[
        str,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ]


class TicketMessageCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    message: Annotated[str, Field(description='The text.', max_length=5000, min_length=1)]


TicketPriority = TypeAliasType(
    "TicketPriority",
    Annotated[Literal['low', 'normal', 'high', 'urgent'], Field(description='How urgent a ticket is.')],
)


class TicketResponse(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    message: Annotated[str, Field(description='The text.', max_length=5000, min_length=1)]
    is_internal: Annotated[bool, Field(description='True for a note that only staff see.')] = False
    internal_note: Annotated[
        bool | MISSING, Field(deprecated=True, description='Old name of `is_internal`, which wins when both are given.')
    ] = MISSING


class TicketStatusChange(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    new_status: Annotated[
        Literal['pending', 'in_progress', 'waiting_on_customer', 'resolved', 'closed'],
        Field(
            description='Where a ticket stands. `pending` nobody works on it yet; `in_progress` staff do; `waiting_on_customer` an answer of the customer is needed;\n`resolved` done, an answer of the customer opens it again; `closed` for good.\n'
        ),
    ]
    resolution: Annotated[
        str | MISSING, Field(description='How it was resolved, for the customer.', max_length=2000, min_length=1)
    ] = MISSING


TopProductsSort = TypeAliasType(
    "TopProductsSort",
    Annotated[
        Literal['sales', 'revenue', 'views'], Field(description='What products are ranked by: `sales` are units sold.')
    ],
)


class TwoFactorDisableRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    password: Annotated[
        str | MISSING,
        Field(
            description='The password that is valid now. A wrong one answers 422 with the rule `invalid_credentials`.',
            max_length=256,
            min_length=1,
        ),
    ] = MISSING
    code: Annotated[
        str,
        Field(
            description='Six digits of the authenticator app, or one of the recovery codes (`XXXXX-XXXXX`; case and hyphen do not matter).',
            max_length=11,
            min_length=6,
            pattern='^([0-9]{6}|[A-Za-z0-9]{5}-?[A-Za-z0-9]{5})$',
        ),
    ]


class TwoFactorEnableRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    password: Annotated[
        str | MISSING,
        Field(
            description='The password that is valid now. A wrong one answers 422 with the rule `invalid_credentials`.',
            max_length=256,
            min_length=1,
        ),
    ] = MISSING


class TwoFactorVerifyRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    code: Annotated[
        str,
        Field(
            description='Six digits of the authenticator app (RFC 6238, 30 seconds). A code is never accepted twice.',
            max_length=6,
            min_length=6,
            pattern='^[0-9]{6}$',
        ),
    ]


class UndoEmailChangeRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    token: Annotated[
        str, Field(description='Token in the link of the mail; 72 hours, used once.', max_length=256, min_length=1)
    ]


Url = TypeAliasType(
    "Url",
    Annotated[
        Uri, Field(description='An absolute https address.', max_length=2048, min_length=8, pattern='^https?://')
    ],
)


class UserCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    email: Annotated[
        str,
        Field(
            description='E-mail address. Compared without regard to the case of letters; dots and tags are kept.',
            max_length=254,
            min_length=3,
        ),
    ]
    name: Annotated[
        str,
        Field(
            description="A person's full name, as it goes on labels and letters. No control characters, not only blanks.",
            max_length=120,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ]
    role: Annotated[
        Literal['customer', 'staff', 'admin'],
        Field(
            description='Role of an account. Each may do all that the one before may: customer, then staff, then admin.'
        ),
    ]
    phone: Annotated[
        str | MISSING,
        Field(description='Telephone number in E.164 form.', max_length=16, pattern='^\\+[1-9][0-9]{6,14}$'),
    ] = MISSING
    password: Annotated[
        str | MISSING,
        Field(
            description='A new password: 8 to 72 characters and at most 72 bytes in UTF-8, the limit of bcrypt (422 `password_too_long` where\ncharacters fit and bytes do not). Not on the list of common passwords, and without the e-mail address in it. Never\nanswered.\n',
            max_length=72,
            min_length=8,
        ),
    ] = MISSING


class UserRoleChange(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    new_role: Annotated[
        Literal['customer', 'staff', 'admin'],
        Field(
            description='Role of an account. Each may do all that the one before may: customer, then staff, then admin.'
        ),
    ]


class UserUpdate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
        arbitrary_types_allowed=True,
    )
    name: Annotated[
        str | MISSING,
        Field(
            description="A person's full name, as it goes on labels and letters. No control characters, not only blanks.",
            max_length=120,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ] = MISSING
    email: Annotated[
        str | MISSING,
        Field(
            description='E-mail address. Compared without regard to the case of letters; dots and tags are kept.',
            max_length=254,
            min_length=3,
        ),
    ] = MISSING
    phone: Annotated[
        str | None | MISSING,
        Field(
            description='Telephone number in E.164 form; null removes it.',
            max_length=16,
            pattern='^\\+[1-9][0-9]{6,14}$',
        ),
    ] = MISSING
    newsletter_opt_in: Annotated[bool | MISSING, Field(description='Whether the customer wants the newsletter.')] = (
        MISSING
    )
    avatar_url: Annotated[
        str | None | MISSING,
        Field(
            description='Address of the picture: an https URL with a host name, no user name and no IP address; null removes it.\n',
            max_length=2048,
            min_length=9,
            pattern='^https://([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+([A-Za-z]{2,63}|xn--[A-Za-z0-9-]{1,59})(:[1-9][0-9]{0,3})?([/?#][!#-;=?-\\[\\]_a-z~]*)?$',
        ),
    ] = MISSING
    date_of_birth: Annotated[Day | None | MISSING, Field(description='Day of birth, in the past; null removes it.')] = (
        MISSING
    )


class VerifyEmailRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    token: Annotated[
        str, Field(description='Token in the link of the mail; 24 hours, used once.', max_length=256, min_length=1)
    ]


class WishlistItemCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    product_id: Annotated[
        str,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ]


class AddressCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    type: Annotated[
        Literal['shipping', 'billing'] | MISSING,
        Field(description='What an address in the address book is for. Each type has its own default.'),
    ] = MISSING
    is_default: Annotated[
        bool,
        Field(description='Make it the default of its type. The first address of a type is the default in any case.'),
    ] = False
    name: Annotated[
        str,
        Field(
            description="A person's full name, as it goes on labels and letters. No control characters, not only blanks.",
            max_length=120,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ]
    line1: Annotated[
        str,
        Field(
            description='Street and number.',
            max_length=120,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ]
    line2: Annotated[
        str | MISSING,
        Field(
            description='Apartment, floor, company or c/o.',
            max_length=120,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ] = MISSING
    city: Annotated[
        str,
        Field(
            description='Town or city.',
            max_length=80,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ]
    state: Annotated[
        str | MISSING,
        Field(
            description='State, province or region; in the US, Canada and Australia its usual code. Needed where the country has them.',
            max_length=80,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ] = MISSING
    postal_code: Annotated[
        str,
        Field(
            description='Postal code in the form of its country. `validateAddress` says whether it fits.',
            max_length=12,
            min_length=2,
            pattern='^[A-Za-z0-9][A-Za-z0-9 -]*$',
        ),
    ]
    country: Annotated[
        str,
        Field(description='ISO 3166-1 alpha-2 code of a country.', max_length=2, min_length=2, pattern='^[A-Z]{2}$'),
    ]
    phone: Annotated[
        str | MISSING,
        Field(description='Telephone number in E.164 form.', max_length=16, pattern='^\\+[1-9][0-9]{6,14}$'),
    ] = MISSING


class AddressInput(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    name: Annotated[
        str,
        Field(
            description="A person's full name, as it goes on labels and letters. No control characters, not only blanks.",
            max_length=120,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ]
    line1: Annotated[
        str,
        Field(
            description='Street and number.',
            max_length=120,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ]
    line2: Annotated[
        str | MISSING,
        Field(
            description='Apartment, floor, company or c/o.',
            max_length=120,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ] = MISSING
    city: Annotated[
        str,
        Field(
            description='Town or city.',
            max_length=80,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ]
    state: Annotated[
        str | MISSING,
        Field(
            description='State, province or region; in the US, Canada and Australia its usual code. Needed where the country has them.',
            max_length=80,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ] = MISSING
    postal_code: Annotated[
        str,
        Field(
            description='Postal code in the form of its country. `validateAddress` says whether it fits.',
            max_length=12,
            min_length=2,
            pattern='^[A-Za-z0-9][A-Za-z0-9 -]*$',
        ),
    ]
    country: Annotated[
        str,
        Field(description='ISO 3166-1 alpha-2 code of a country.', max_length=2, min_length=2, pattern='^[A-Z]{2}$'),
    ]
    phone: Annotated[
        str | MISSING,
        Field(description='Telephone number in E.164 form.', max_length=16, pattern='^\\+[1-9][0-9]{6,14}$'),
    ] = MISSING


class AddressUpdate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    type: Annotated[
        Literal['shipping', 'billing'] | MISSING,
        Field(description='What an address in the address book is for. Each type has its own default.'),
    ] = MISSING
    is_default: Annotated[
        bool | MISSING,
        Field(
            description='`true` makes it the default of its type. `false` passes that on to the newest other address of the type, and changes\nnothing where there is no other.\n'
        ),
    ] = MISSING
    name: Annotated[
        str | MISSING,
        Field(
            description="A person's full name, as it goes on labels and letters. No control characters, not only blanks.",
            max_length=120,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ] = MISSING
    line1: Annotated[
        str | MISSING,
        Field(
            description='Street and number.',
            max_length=120,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ] = MISSING
    line2: Annotated[
        str | None | MISSING,
        Field(
            description='Apartment, floor, company or c/o; null removes it.',
            max_length=120,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ] = MISSING
    city: Annotated[
        str | MISSING,
        Field(
            description='Town or city.',
            max_length=80,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ] = MISSING
    state: Annotated[
        str | None | MISSING,
        Field(
            description='State, province or region; in the US, Canada and Australia its usual code. Needed where the country has them; null\nremoves it.\n',
            max_length=80,
            min_length=1,
            pattern='^[^\\x00-\\x1F\\x7F]*[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\x00-\\x1F\\x7F][^\\x00-\\x1F\\x7F]*$',
        ),
    ] = MISSING
    postal_code: Annotated[
        str | MISSING,
        Field(
            description='Postal code in the form of its country. `validateAddress` says whether it fits.',
            max_length=12,
            min_length=2,
            pattern='^[A-Za-z0-9][A-Za-z0-9 -]*$',
        ),
    ] = MISSING
    country: Annotated[
        str | MISSING,
        Field(description='ISO 3166-1 alpha-2 code of a country.', max_length=2, min_length=2, pattern='^[A-Z]{2}$'),
    ] = MISSING
    phone: Annotated[
        str | None | MISSING,
        Field(
            description='Telephone number in E.164 form for the carrier; null removes it.',
            max_length=16,
            pattern='^\\+[1-9][0-9]{6,14}$',
        ),
    ] = MISSING


class AgentMessage(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    role: Annotated[
        Literal['user', 'assistant'], Field(description='Who says a message of a conversation with an agent.')
    ]
    content: Annotated[str, Field(description='The text.', max_length=8000, min_length=1)]


AttributeFilters = TypeAliasType("AttributeFilters", Annotated[dict[str, AttributeValues], Field(max_length=20)])


class BannerCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    placement: Annotated[Literal['hero', 'sidebar', 'footer'], Field(description='Where on the page a banner stands.')]
    title: Annotated[
        str,
        Field(
            description='The large line of text.',
            max_length=120,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ]
    subtitle: Annotated[str | MISSING, Field(description='The smaller line below.', max_length=200, min_length=1)] = (
        MISSING
    )
    image_url: Annotated[
        Uri, Field(description='An absolute https address.', max_length=2048, min_length=8, pattern='^https?://')
    ]
    link_url: Annotated[
        str,
        Field(
            description='Where a link leads, either a path of the shop that starts with one `/`, or an absolute http(s) address.',
            max_length=2048,
            min_length=1,
            pattern='^(https?://[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]+|/([^/\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff][^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]*)?)$',
        ),
    ]
    position: Annotated[
        int | MISSING, Field(description='Place among the banners of its placement, 0 when absent.', ge=0, le=1000)
    ] = MISSING
    starts_at: Annotated[Moment | MISSING, Field(description='A moment in UTC, RFC 3339 with `Z`.')] = MISSING
    ends_at: Annotated[Moment | MISSING, Field(description='A moment in UTC, RFC 3339 with `Z`.')] = MISSING
    status: Annotated[
        Literal['draft', 'active', 'archived'] | MISSING,
        Field(
            description='Where a banner stands. `draft`: in preparation. `active`: shown between `starts_at` and `ends_at`. `archived`: no longer shown.\n'
        ),
    ] = MISSING


class BannerUpdate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
        arbitrary_types_allowed=True,
    )
    placement: Annotated[
        Literal['hero', 'sidebar', 'footer'] | MISSING, Field(description='Where on the page a banner stands.')
    ] = MISSING
    title: Annotated[
        str | MISSING,
        Field(
            description='The large line of text.',
            max_length=120,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ] = MISSING
    subtitle: Annotated[
        str | None | MISSING,
        Field(description='The smaller line below; null removes it.', max_length=200, min_length=1),
    ] = MISSING
    image_url: Annotated[
        Uri | MISSING,
        Field(description='An absolute https address.', max_length=2048, min_length=8, pattern='^https?://'),
    ] = MISSING
    link_url: Annotated[
        str | MISSING,
        Field(
            description='Where a link leads, either a path of the shop that starts with one `/`, or an absolute http(s) address.',
            max_length=2048,
            min_length=1,
            pattern='^(https?://[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]+|/([^/\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff][^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]*)?)$',
        ),
    ] = MISSING
    position: Annotated[
        int | MISSING, Field(description='Place among the banners of its placement.', ge=0, le=1000)
    ] = MISSING
    starts_at: Annotated[
        Moment | None | MISSING, Field(description='Shown from this moment on; null removes the bound.')
    ] = MISSING
    ends_at: Annotated[
        Moment | None | MISSING, Field(description='Shown until this moment; null removes the bound.')
    ] = MISSING
    status: Annotated[
        Literal['draft', 'active', 'archived'] | MISSING,
        Field(
            description='Where a banner stands. `draft`: in preparation. `active`: shown between `starts_at` and `ends_at`. `archived`: no longer shown.\n'
        ),
    ] = MISSING


class CartItemAdd(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    product_id: Annotated[
        str,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ]
    variant_id: Annotated[
        str | MISSING,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ] = MISSING
    quantity: Annotated[int, Field(description='Units to add.', ge=1, le=99)]


class CategoryCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    slug: Annotated[
        str | MISSING,
        Field(
            description='Name for URLs, lower case, words joined by hyphens; unique among its kind.',
            max_length=100,
            min_length=1,
            pattern='^[a-z0-9]+(-[a-z0-9]+)*$',
        ),
    ] = MISSING
    name: Annotated[
        str,
        Field(
            description='Name of the category.',
            max_length=100,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ]
    description: Annotated[str | MISSING, Field(description='Text of the category page.', max_length=2000)] = MISSING
    parent_slug: Annotated[
        str | MISSING,
        Field(
            description='Name for URLs, lower case, words joined by hyphens; unique among its kind.',
            max_length=100,
            min_length=1,
            pattern='^[a-z0-9]+(-[a-z0-9]+)*$',
        ),
    ] = MISSING
    image_url: Annotated[
        Uri | MISSING,
        Field(description='An absolute https address.', max_length=2048, min_length=8, pattern='^https?://'),
    ] = MISSING
    position: Annotated[
        int | MISSING, Field(description='Place among its siblings, 0 when absent.', ge=0, le=10000)
    ] = MISSING


class ConfigChange(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    value: Annotated[
        bool | ConfigValue1 | ConfigValue2 | ConfigValue3 | dict[str, Any],
        Field(
            description='Value of a setting: a string, a number, a boolean or an object. Its kind is fixed for each key.'
        ),
    ]


class LogoutRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    refresh_token: Annotated[
        str | MISSING,
        Field(
            description='Opaque refresh token. Each one works once; `refreshSession` answers its successor.',
            max_length=512,
            min_length=1,
        ),
    ] = MISSING


class OrderCancel(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    reason: Annotated[
        Literal['customer_request', 'ordered_by_mistake', 'delivery_too_slow', 'fraud_suspected', 'staff_request'] | MISSING,
        Field(
            description='The reason a caller gives for cancelling. `fraud_suspected` and `staff_request` are for staff; from others they are 403.'
        ),
    ] = MISSING
    comment: Annotated[str | MISSING, Field(description='More about it, for staff.', max_length=500, min_length=1)] = (
        MISSING
    )


class PaymentChoice(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    type: Annotated[
        Literal['saved_method', 'new_card', 'paypal'],
        Field(description='How an order is paid: with a payment method saved before, with a new card, or with PayPal.'),
    ]
    payment_method_id: Annotated[
        str | MISSING,
        Field(
            description='The saved payment method. Needed with `saved_method` (else 422 `payment_method_invalid`), not allowed otherwise.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ] = MISSING


class PaymentMethodCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    stripe_token: Annotated[
        str,
        Field(
            description='Id of the Stripe payment method (`pm_…`). Never a card number.',
            max_length=255,
            min_length=4,
            pattern='^pm_[A-Za-z0-9_]+$',
        ),
    ]
    billing_address: AddressInput | MISSING = MISSING
    billing_address_id: Annotated[
        str | MISSING,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ] = MISSING
    is_default: Annotated[bool, Field(description='Make it the default. The first one is the default in any case.')] = (
        False
    )


class ProductFilters(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    price: PriceRange | MISSING = MISSING
    brand: Annotated[
        list[BrandItem] | MISSING,
        Field(
            description='Brands of which one has to match, compared without regard to case.',
            max_length=20,
            min_length=1,
        ),
    ] = MISSING
    rating: Annotated[float | MISSING, Field(description='The lowest mean rating wanted.', ge=1.0, le=5.0)] = MISSING
    in_stock: Annotated[
        bool | MISSING,
        Field(
            description='True asks for products of which a variant can be ordered now; false for those that are sold out.'
        ),
    ] = MISSING
    attributes: AttributeFilters | MISSING = MISSING


class ProductImageInput(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    url: Annotated[
        Uri, Field(description='An absolute https address.', max_length=2048, min_length=8, pattern='^https?://')
    ]
    alt: Annotated[
        str,
        Field(
            description='Text for those who do not see the picture; empty for one that only decorates.', max_length=200
        ),
    ]
    order: Annotated[int | MISSING, Field(description='Position among the pictures, from 1.', ge=1, le=100)] = MISSING


class ProductVariantInput(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    sku: Annotated[
        str,
        Field(
            description='Stock keeping unit. Capitals, digits and hyphens; unique in the whole catalogue, products and variants together.',
            max_length=64,
            min_length=2,
            pattern='^[A-Z0-9]+(-[A-Z0-9]+)*$',
        ),
    ]
    attributes: Attributes | MISSING = MISSING
    price_adjustment: Annotated[
        float | MISSING,
        Field(
            description='An amount of money in major units that may be negative, with no more decimals than its currency has.',
            ge=-99999999.99,
            le=99999999.99,
        ),
    ] = MISSING
    on_hand: Annotated[
        int | MISSING,
        Field(
            description='Units in the warehouse at the start, 0 when absent. Afterwards stock changes through inventory adjustments only.',
            ge=0,
            le=10000000,
        ),
    ] = MISSING
    weight_grams: Annotated[
        int | MISSING,
        Field(
            description='Weight of one unit with its packaging, for shipping. Without it a usual one of the category counts.',
            ge=1,
            le=1000000,
        ),
    ] = MISSING


class ProductVariantUpdate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    variant_id: Annotated[
        str | MISSING,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ] = MISSING
    sku: Annotated[
        str,
        Field(
            description='Stock keeping unit. Capitals, digits and hyphens; unique in the whole catalogue, products and variants together.',
            max_length=64,
            min_length=2,
            pattern='^[A-Z0-9]+(-[A-Z0-9]+)*$',
        ),
    ]
    attributes: Attributes | MISSING = MISSING
    price_adjustment: Annotated[
        float | MISSING,
        Field(
            description='An amount of money in major units that may be negative, with no more decimals than its currency has.',
            ge=-99999999.99,
            le=99999999.99,
        ),
    ] = MISSING
    on_hand: Annotated[
        int | MISSING,
        Field(description='Units in the warehouse at the start, for a new variant; 0 when absent.', ge=0, le=10000000),
    ] = MISSING
    weight_grams: Annotated[
        int | MISSING,
        Field(
            description='Weight of one unit with its packaging, for shipping. Without it a usual one of the category counts.',
            ge=1,
            le=1000000,
        ),
    ] = MISSING


class PromotionCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    code: Annotated[
        str,
        Field(
            description='Code of a promotion. Compared without regard to the case of letters, answered in capitals.',
            max_length=40,
            min_length=2,
            pattern='^[A-Za-z0-9][A-Za-z0-9_-]*$',
        ),
    ]
    description: Annotated[
        str | MISSING, Field(description='What it is for, for administrators.', max_length=300, min_length=1)
    ] = MISSING
    type: Annotated[
        Literal['percentage', 'fixed', 'free_shipping'],
        Field(
            description='What a promotion gives. `percentage`: a share of the subtotal. `fixed`: an amount off the subtotal, at most all of it. `free_shipping`: the\nstandard method costs nothing.\n'
        ),
    ]
    value: Annotated[
        float,
        Field(
            description='Percent with `percentage`, an amount with `fixed`, 0 with `free_shipping`.',
            ge=0.0,
            le=99999999.99,
        ),
    ]
    currency: Annotated[
        str | MISSING,
        Field(
            description='ISO 4217 code of the currency that the amounts beside it are in.',
            max_length=3,
            min_length=3,
            pattern='^[A-Z]{3}$',
        ),
    ] = MISSING
    minimum_subtotal: Annotated[
        float | MISSING,
        Field(
            description='An amount of money in major units, with no more decimals than its currency has.',
            ge=0.0,
            le=99999999.99,
        ),
    ] = MISSING
    starts_at: Annotated[Moment | MISSING, Field(description='A moment in UTC, RFC 3339 with `Z`.')] = MISSING
    ends_at: Annotated[Moment | MISSING, Field(description='A moment in UTC, RFC 3339 with `Z`.')] = MISSING
    once_per_customer: Annotated[
        bool, Field(description="Whether a customer, or a guest's e-mail address, can use it only once.")
    ] = False
    max_redemptions: Annotated[
        int | MISSING, Field(description='How often it can be used in all.', ge=1, le=100000000)
    ] = MISSING
    active: Annotated[bool, Field(description='Whether it can be used.')] = True


class QuoteCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    shipping_address: AddressInput
    shipping_method: Annotated[
        Literal['standard', 'express', 'overnight'] | MISSING,
        Field(description='How an order is sent. Prices and days come from `POST /api/checkout/quote`.'),
    ] = MISSING
    promo_code: Annotated[
        str | MISSING,
        Field(
            description='Code of a promotion. Compared without regard to the case of letters, answered in capitals.',
            max_length=40,
            min_length=2,
            pattern='^[A-Za-z0-9][A-Za-z0-9_-]*$',
        ),
    ] = MISSING
    email: Annotated[
        str | MISSING,
        Field(
            description='E-mail address. Compared without regard to the case of letters; dots and tags are kept.',
            max_length=254,
            min_length=3,
        ),
    ] = MISSING


class RefreshRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    refresh_token: Annotated[
        str | MISSING,
        Field(
            description='Opaque refresh token. Each one works once; `refreshSession` answers its successor.',
            max_length=512,
            min_length=1,
        ),
    ] = MISSING


class RefundCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    order_id: Annotated[
        str,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ]
    amount: Annotated[
        float | MISSING,
        Field(
            description='An amount of money in major units, with no more decimals than its currency has.',
            ge=0.0,
            le=99999999.99,
        ),
    ] = MISSING
    reason: Annotated[
        Literal['requested_by_customer', 'return', 'order_cancelled', 'goodwill', 'duplicate', 'fraudulent', 'delivery_failed'],
        Field(description='Why money is returned.'),
    ]
    note: Annotated[
        str | MISSING, Field(description='For staff, kept in the audit log.', max_length=500, min_length=1)
    ] = MISSING


class ReturnItemInput(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    order_item_id: Annotated[
        str,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ]
    quantity: Annotated[
        int, Field(description='Number of units, at most those bought and not returned before.', ge=1, le=999)
    ]
    reason: Annotated[
        Literal['damaged', 'defective', 'wrong_item', 'not_as_described', 'does_not_fit', 'changed_mind', 'arrived_late', 'other'] | MISSING,
        Field(description='Why goods come back.'),
    ] = MISSING
    exchange_variant_id: Annotated[
        str | MISSING,
        Field(
            description='With `exchange`: the variant wanted instead.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ] = MISSING


class ReturnReceipt(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    items: Annotated[
        list[ReturnReceiptItem] | MISSING,
        Field(description='What came back, line by line.', max_length=100, min_length=1),
    ] = MISSING
    notes: Annotated[str | MISSING, Field(description='For staff.', max_length=2000)] = MISSING


class ReviewCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rating: Annotated[int, Field(description='From 1, poor, to 5, excellent.', ge=1, le=5)]
    title: Annotated[
        str,
        Field(
            description='The review in a line.',
            max_length=120,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ]
    comment: Annotated[
        str,
        Field(
            description='The text.',
            max_length=5000,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ]
    images: Annotated[list[Url] | MISSING, Field(description='Pictures.', max_length=5)] = MISSING


class ReviewModeration(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    status: Annotated[
        Literal['pending', 'published', 'rejected'] | MISSING,
        Field(
            description='Where a review stands. `pending`: waits for a moderator, only its author and staff see it. `published`: everyone sees it and it counts.\n`rejected`: only its author and staff see it.\n'
        ),
    ] = MISSING
    note: Annotated[
        str | None | MISSING,
        Field(description='Remark for staff, never shown to shoppers; null removes it.', max_length=1000, min_length=1),
    ] = MISSING


class ReviewUpdate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    rating: Annotated[int | MISSING, Field(description='From 1, poor, to 5, excellent.', ge=1, le=5)] = MISSING
    title: Annotated[
        str | MISSING,
        Field(
            description='The review in a line.',
            max_length=120,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ] = MISSING
    comment: Annotated[
        str | MISSING,
        Field(
            description='The text.',
            max_length=5000,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ] = MISSING
    images: Annotated[list[Url] | MISSING, Field(description='Pictures. An empty list removes them.', max_length=5)] = (
        MISSING
    )


class ShipmentNotificationCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    notification_type: Annotated[Literal['email', 'sms'], Field(description='How a notification is sent.')]
    kind: Annotated[
        Literal['shipped', 'status_update', 'out_for_delivery', 'delayed', 'delivered'] | MISSING,
        Field(description='What a notification about a shipment says.'),
    ] = MISSING
    message: Annotated[
        str | MISSING, Field(description='A sentence of staff that is added to the text.', max_length=500, min_length=1)
    ] = MISSING


class ShipmentStatusChange(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    new_status: Annotated[
        Literal['label_created', 'picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned', 'cancelled'],
        Field(
            description='Where a shipment stands. `delivered`, `returned` and `cancelled` are final. From `exception` it may go on in transit, out for delivery, to delivered or returned.\n`cancelled` follows from the end of the order and is never set by hand; a parcel that is or was with the carrier does not get there.\n'
        ),
    ]
    location: Annotated[
        str | MISSING, Field(description='Where it is; becomes the place of the event.', max_length=200, min_length=1)
    ] = MISSING
    notes: Annotated[str | MISSING, Field(description='For staff; never shown to customers.', max_length=1000)] = (
        MISSING
    )
    occurred_at: Annotated[Moment | MISSING, Field(description='A moment in UTC, RFC 3339 with `Z`.')] = MISSING


class SocialLoginRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    token: Annotated[
        str,
        Field(
            description="The provider's ID token (JWT). Its `nonce` claim must be one of `createSocialNonce`, unused and at most 10 minutes old.\n",
            max_length=8192,
            min_length=1,
        ),
    ]
    nonce: Annotated[
        str | MISSING,
        Field(
            description='The nonce that the sign-in was started with. Optional; when given, the `nonce` claim of the token must equal it.',
            max_length=128,
            min_length=1,
        ),
    ] = MISSING
    provider: Annotated[
        Literal['google', 'microsoft', 'facebook'] | MISSING,
        Field(description='Identity provider for social login. `microsoft` is Microsoft Entra ID.'),
    ] = MISSING


class StockAdjustmentCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    delta: Annotated[
        int,
        Field(
            description='Units to add, or to take away when negative. 0 records a count that confirmed the level.',
            ge=-1000000,
            le=1000000,
        ),
    ]
    reason: Annotated[
        Literal['received', 'recount', 'damaged', 'lost', 'returned', 'correction'],
        Field(
            description='Why stock is adjusted. `received`: a delivery arrived. `recount`: the shelf was counted. `damaged`, `lost`: units cannot be sold.\n`returned`: units came back outside of a return of the shop. `correction`: an earlier entry was wrong.\n'
        ),
    ]
    note: Annotated[str | MISSING, Field(description='Remark for the record.', max_length=500, min_length=1)] = MISSING


class TicketCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    type: Annotated[
        Literal['return', 'exchange', 'refund', 'order', 'delivery', 'payment', 'product', 'account', 'other'],
        Field(description='What a ticket is about.'),
    ]
    category: Annotated[
        Literal['product_quality', 'wrong_item', 'missing_item', 'damaged_in_transit', 'late_delivery', 'billing', 'account_access', 'product_information', 'other'] | MISSING,
        Field(description='The cause, for statistics.'),
    ] = MISSING
    subject: Annotated[str, Field(description='What it is about, in a line.', max_length=200, min_length=1)]
    description: Annotated[str, Field(description='What happened.', max_length=5000, min_length=1)]
    order_id: Annotated[
        str | MISSING,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ] = MISSING
    return_id: Annotated[
        str | MISSING,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ] = MISSING


class AgentInvokeRequest(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    messages: Annotated[
        list[AgentMessage],
        Field(
            description='The conversation so far, oldest first; the last message is the question.',
            max_length=50,
            min_length=1,
        ),
    ]
    session_id: Annotated[
        str | MISSING,
        Field(
            description='Keeps a conversation together; without it a new one begins.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ] = MISSING
    context: Annotated[
        dict[str, Any] | MISSING,
        Field(
            description='Facts for the agent, such as the page or the product the customer looks at. At most 32 members.',
            max_length=32,
        ),
    ] = MISSING


class OrderCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    cart_id: Annotated[
        str,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ]
    email: Annotated[
        str | MISSING,
        Field(
            description='E-mail address. Compared without regard to the case of letters; dots and tags are kept.',
            max_length=254,
            min_length=3,
        ),
    ] = MISSING
    shipping_address: AddressInput
    billing_address: AddressInput | MISSING = MISSING
    shipping_method: Annotated[
        Literal['standard', 'express', 'overnight'],
        Field(description='How an order is sent. Prices and days come from `POST /api/checkout/quote`.'),
    ]
    payment_method: PaymentChoice
    promo_code: Annotated[
        str | MISSING,
        Field(
            description='A promo code, if none is applied to the cart; it replaces one that is.',
            max_length=40,
            min_length=1,
            pattern='^[A-Za-z0-9_-]+$',
        ),
    ] = MISSING
    expected_total: Annotated[
        float | MISSING,
        Field(
            description='An amount of money in major units, with no more decimals than its currency has.',
            ge=0.0,
            le=99999999.99,
        ),
    ] = MISSING
    notes: Annotated[str | MISSING, Field(description='A note for the delivery.', max_length=500)] = MISSING


class ProductCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    category_slug: Annotated[
        str,
        Field(
            description='Name for URLs, lower case, words joined by hyphens; unique among its kind.',
            max_length=100,
            min_length=1,
            pattern='^[a-z0-9]+(-[a-z0-9]+)*$',
        ),
    ]
    sku: Annotated[
        str,
        Field(
            description='Stock keeping unit. Capitals, digits and hyphens; unique in the whole catalogue, products and variants together.',
            max_length=64,
            min_length=2,
            pattern='^[A-Z0-9]+(-[A-Z0-9]+)*$',
        ),
    ]
    name: Annotated[
        str,
        Field(
            description='Name of the product.',
            max_length=200,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ]
    slug: Annotated[
        str | MISSING,
        Field(
            description='Name for URLs, lower case, words joined by hyphens; unique among its kind.',
            max_length=100,
            min_length=1,
            pattern='^[a-z0-9]+(-[a-z0-9]+)*$',
        ),
    ] = MISSING
    description: Annotated[
        str,
        Field(
            description='One or two sentences, for lists.',
            max_length=1000,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ]
    long_description: Annotated[
        str | MISSING,
        Field(description='The full text of the detail page, plain text with line breaks.', max_length=20000),
    ] = MISSING
    brand: Annotated[
        str,
        Field(
            description='Brand or maker.',
            max_length=100,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ]
    price: ProductPriceInput
    images: Annotated[list[ProductImageInput] | MISSING, Field(description='Pictures.', max_length=20)] = MISSING
    variants: Annotated[
        list[ProductVariantInput],
        Field(
            description='The forms in which it is sold. A product without choices has one variant without attributes.',
            max_length=90,
            min_length=1,
        ),
    ]
    attributes: Attributes | MISSING = MISSING
    seo: ProductSeoInput | MISSING = MISSING
    status: Annotated[
        Literal['draft', 'active', 'archived'] | MISSING,
        Field(
            description='Where a product stands. `draft`: in preparation, only administrators see it. `active`: in the shop. `archived`: no longer sold;\norders and wishlists keep it, the shop does not show it.\n'
        ),
    ] = MISSING


class ProductUpdate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    category_slug: Annotated[
        str | MISSING,
        Field(
            description='Name for URLs, lower case, words joined by hyphens; unique among its kind.',
            max_length=100,
            min_length=1,
            pattern='^[a-z0-9]+(-[a-z0-9]+)*$',
        ),
    ] = MISSING
    sku: Annotated[
        str | MISSING,
        Field(
            description='Stock keeping unit. Capitals, digits and hyphens; unique in the whole catalogue, products and variants together.',
            max_length=64,
            min_length=2,
            pattern='^[A-Z0-9]+(-[A-Z0-9]+)*$',
        ),
    ] = MISSING
    name: Annotated[
        str | MISSING,
        Field(
            description='Name of the product.',
            max_length=200,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ] = MISSING
    slug: Annotated[
        str | MISSING,
        Field(
            description='Name for URLs, lower case, words joined by hyphens; unique among its kind.',
            max_length=100,
            min_length=1,
            pattern='^[a-z0-9]+(-[a-z0-9]+)*$',
        ),
    ] = MISSING
    description: Annotated[
        str | MISSING,
        Field(
            description='One or two sentences, for lists.',
            max_length=1000,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ] = MISSING
    long_description: Annotated[
        str | MISSING,
        Field(
            description='The full text of the detail page, plain text with line breaks. Empty removes it.',
            max_length=20000,
        ),
    ] = MISSING
    brand: Annotated[
        str | MISSING,
        Field(
            description='Brand or maker.',
            max_length=100,
            min_length=1,
            pattern='[^\\t-\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]',
        ),
    ] = MISSING
    price: ProductPriceInput | MISSING = MISSING
    images: Annotated[list[ProductImageInput] | MISSING, Field(description='Pictures.', max_length=20)] = MISSING
    variants: Annotated[
        list[ProductVariantUpdate] | MISSING,
        Field(description='The new list of variants.', max_length=90, min_length=1),
    ] = MISSING
    attributes: Attributes | MISSING = MISSING
    seo: ProductSeoInput | MISSING = MISSING
    status: Annotated[
        Literal['draft', 'active', 'archived'] | MISSING,
        Field(
            description='Where a product stands. `draft`: in preparation, only administrators see it. `active`: in the shop. `archived`: no longer sold;\norders and wishlists keep it, the shop does not show it.\n'
        ),
    ] = MISSING


class ReturnCreate(BaseModel):
    model_config = ConfigDict(
        extra='forbid',
    )
    order_id: Annotated[
        str,
        Field(
            description='Identifier of a resource. Opaque; do not take it apart.',
            max_length=64,
            min_length=1,
            pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$',
        ),
    ]
    items: Annotated[list[ReturnItemInput], Field(description='The lines to send back.', max_length=100, min_length=1)]
    reason: Annotated[
        Literal['damaged', 'defective', 'wrong_item', 'not_as_described', 'does_not_fit', 'changed_mind', 'arrived_late', 'other'],
        Field(description='Why goods come back.'),
    ]
    type: Annotated[
        Literal['return', 'exchange'], Field(description='Money back, or the same product again in another variant.')
    ]
    comment: Annotated[str | MISSING, Field(description='More about it.', max_length=2000, min_length=1)] = MISSING
    images: Annotated[list[Url] | MISSING, Field(description='Pictures of the goods.', max_length=10)] = MISSING
