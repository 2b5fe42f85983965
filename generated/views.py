# Written by `make generate` from the contract. Do not edit.

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class Accepted(TypedDict):
    message: str


class AgentReply(TypedDict):
    role: Literal['user', 'assistant']
    content: str


class AgentResponse(TypedDict):
    service: str
    session_id: str
    message: AgentReply
    data: dict[str, Any]
    fallback: bool
    cached: bool


class AuditMetadata(TypedDict):
    ip_address: NotRequired[str]
    user_agent: NotRequired[str]
    session_id: NotRequired[str]
    request_id: NotRequired[str]


CacheState: TypeAlias = Literal['HIT', 'MISS', 'STALE']


class FacetValue(TypedDict):
    value: str
    count: int


class GuestSession(TypedDict):
    session_id: str
    access_token: str
    expires_in: int
    csrf_token: str


class Jwk(TypedDict):
    kty: str
    use: str
    alg: str
    kid: str
    n: str
    e: str


class JwkSet(TypedDict):
    keys: list[Jwk]


class NotificationPreferences(TypedDict):
    email_marketing: bool
    email_orders: bool
    sms_shipping: bool


class Preferences(TypedDict):
    language: str
    currency: str
    notifications: NotificationPreferences


class PriceFacet(TypedDict):
    min: float
    max: NotRequired[float]
    currency: str
    count: int


class ProductAnalytics(TypedDict):
    views: int
    add_to_cart: int
    purchases: int
    conversion_rate: float


class ProductPrice(TypedDict):
    amount: float
    currency: str
    compare_at: NotRequired[float]
    tax_rate: float


class ProductSeo(TypedDict):
    meta_title: str
    meta_description: str
    canonical_url: str


class RatingCount(TypedDict):
    rating: int
    count: int


class RatingFacet(TypedDict):
    minimum: int
    count: int


class RatingSummary(TypedDict):
    average: float
    count: int


class Reauthentication(TypedDict):
    reauthentication_token: str
    expires_in: int


class ReviewSummary(TypedDict):
    average: float
    count: int
    histogram: list[RatingCount]


class ReviewVotes(TypedDict):
    review_id: str
    helpful: bool
    helpful_count: int
    not_helpful_count: int


class ServiceMetrics(TypedDict):
    requests_per_minute: float
    error_rate: float
    response_time_p50_ms: float
    response_time_p95_ms: float


class ShipmentDimensions(TypedDict):
    length: float
    width: float
    height: float
    unit: Literal['inches', 'cm']


class ShippingMethodOption(TypedDict):
    method: Literal['standard', 'express', 'overnight']
    name: str
    price: float
    currency: str
    estimated_days_min: int
    estimated_days_max: int
    estimated_delivery: str


class SocialNonce(TypedDict):
    nonce: str
    expires_in: int


class TwoFactorRecoveryCodes(TypedDict):
    two_factor_enabled: bool
    recovery_codes: list[str]


class TwoFactorSetup(TypedDict):
    secret: str
    otpauth_uri: str


class UserProfile(TypedDict):
    avatar_url: str | None
    date_of_birth: str | None
    preferences: Preferences


class UserSession(TypedDict):
    session_id: str
    current: bool
    device: str
    network: str
    started_at: str
    last_used_at: str
    expires_at: str


class UserSessionList(TypedDict):
    items: list[UserSession]


class VariantStock(TypedDict):
    variant_id: str
    sku: str
    status: Literal['in_stock', 'low_stock', 'out_of_stock']
    available: int


class VerifiedEmail(TypedDict):
    email: str
    email_verified: bool


class WebhookReceipt(TypedDict):
    received: bool
    event_id: str
    handled: bool


class Address(TypedDict):
    name: str
    line1: str
    line2: NotRequired[str]
    city: str
    state: NotRequired[str]
    postal_code: str
    country: str
    phone: NotRequired[str]


class AddressBookEntry(TypedDict):
    address_id: str
    type: Literal['shipping', 'billing']
    is_default: bool
    name: str
    line1: str
    line2: NotRequired[str]
    city: str
    state: NotRequired[str]
    postal_code: str
    country: str
    phone: NotRequired[str]
    created_at: str
    updated_at: str


class AddressBookEntryPage(TypedDict):
    items: list[AddressBookEntry]
    page: int
    limit: int
    total: int
    next_cursor: str | None


class AddressIssue(TypedDict):
    path: str
    code: Literal['missing', 'format', 'unknown', 'mismatch', 'not_served']
    severity: Literal['error', 'warning']
    message: str


class AddressValidation(TypedDict):
    valid: bool
    normalized: Address
    issues: list[AddressIssue]


class AnalyticsPeriod(TypedDict):
    start_date: str
    end_date: str


class AttributeFacet(TypedDict):
    name: str
    values: list[FacetValue]


class AuditChange(TypedDict):
    before: bool | float | str | list[Any] | dict[str, Any] | None
    after: bool | float | str | list[Any] | dict[str, Any] | None


class AuditLogEntry(TypedDict):
    audit_id: str
    entity_type: Literal['user', 'address', 'payment_method', 'product', 'category', 'banner', 'review', 'cart', 'promotion', 'inventory', 'order', 'payment', 'return', 'ticket', 'shipment', 'config', 'service', 'event']
    entity_id: str
    action: str
    actor_id: NotRequired[str]
    actor_type: Literal['anonymous', 'customer', 'staff', 'admin', 'agent', 'system']
    actor_email: NotRequired[str]
    changes: dict[str, AuditChange]
    metadata: AuditMetadata
    timestamp: str


class AuditLogPage(TypedDict):
    items: list[AuditLogEntry]
    page: int
    limit: int
    next_cursor: str | None


class AvailabilityFacet(TypedDict):
    status: Literal['in_stock', 'low_stock', 'out_of_stock']
    count: int


class Banner(TypedDict):
    id: str
    banner_id: str
    placement: Literal['hero', 'sidebar', 'footer']
    title: str
    subtitle: NotRequired[str]
    image_url: str
    link_url: str
    position: int
    starts_at: NotRequired[str]
    ends_at: NotRequired[str]
    status: Literal['draft', 'active', 'archived']
    created_at: str
    updated_at: str


class BannerPage(TypedDict):
    items: list[Banner]
    page: int
    limit: int
    total: NotRequired[int]
    next_cursor: str | None


class CarrierInquiry(TypedDict):
    inquiry_id: str
    shipment_id: str
    carrier: Literal['FedEx', 'UPS', 'USPS', 'DHL']
    carrier_reference: NotRequired[str]
    issue_description: str
    status: Literal['open', 'answered', 'closed']
    created_at: str


class CartItem(TypedDict):
    cart_item_id: str
    product_id: str
    variant_id: str
    sku: str
    name: str
    variant_name: str
    quantity: int
    unit_price: float
    line_total: float
    currency: str
    image_url: NotRequired[str]
    available: bool
    max_quantity: int
    added_at: str


class CartNotice(TypedDict):
    code: Literal['price_changed', 'quantity_reduced', 'unavailable', 'promo_code_removed', 'allocation_limited']
    message: str
    cart_item_id: NotRequired[str]
    previous_unit_price: NotRequired[float]
    unit_price: NotRequired[float]
    previous_quantity: NotRequired[int]
    quantity: NotRequired[int]
    currency: str


class CartTotals(TypedDict):
    subtotal: float
    discount: float
    tax_estimate: float
    shipping_estimate: NotRequired[float]
    rounding: NotRequired[float]
    total_estimate: float
    currency: str


class Category(TypedDict):
    id: str
    slug: str
    name: str
    description: str
    parent_slug: str | None
    path: list[str]
    image_url: NotRequired[str]
    position: int
    product_count: int
    created_at: str
    updated_at: str


class CategoryFacet(TypedDict):
    slug: str
    name: str
    count: int


class CategoryLink(TypedDict):
    slug: str
    name: str


class CategoryPage(TypedDict):
    items: list[Category]
    page: int
    limit: int
    total: NotRequired[int]
    next_cursor: str | None


class CategorySales(TypedDict):
    category_slug: str
    name: str
    revenue: float
    orders: int
    units_sold: int
    revenue_share: float


class ConfigEntry(TypedDict):
    key: str
    kind: Literal['setting', 'feature_flag']
    value: bool | int | float | str | dict[str, Any]
    default: bool | int | float | str | dict[str, Any]
    description: str
    updated_at: NotRequired[str]
    updated_by: NotRequired[str]


class ConfigPage(TypedDict):
    items: list[ConfigEntry]
    page: int
    limit: int
    total: NotRequired[int]
    next_cursor: str | None


class ConversionPoint(TypedDict):
    date: str
    sessions: int
    orders: int
    conversion_rate: float


class DashboardStats(TypedDict):
    order_count: int
    open_order_count: int
    wishlist_count: int
    rewards_points: int
    rewards_tier: Literal['bronze', 'silver', 'gold', 'platinum']
    lifetime_spend: float
    currency: str


class DeadLetter(TypedDict):
    dead_letter_id: str
    consumer: str
    status: Literal['open', 'replaying', 'replayed']
    reason: Literal['failed', 'invalid', 'unsupported_version', 'too_large']
    error: str
    attempts: int
    replays: int
    event_id: str
    event_type: str
    topic: str
    partition_key: str
    correlation_id: NotRequired[str]
    failed_at: str
    replayed_at: NotRequired[str]


class DeadLetterPage(TypedDict):
    items: list[DeadLetter]
    page: int
    limit: int
    next_cursor: str | None


class Dependency(TypedDict):
    name: str
    status: Literal['up', 'down', 'unknown']
    latency_ms: float


Fault = TypedDict(
    'Fault',
    {
        'in': Literal['path', 'query', 'header', 'cookie', 'body'],
        'path': str,
        'message': str,
    },
)


class Liveness(TypedDict):
    status: Literal['ok']
    version: str
    embedded: list[Literal['documents', 'events']]
    dependencies: list[Dependency]


class LogLine(TypedDict):
    timestamp: str
    level: Literal['debug', 'info', 'warning', 'error', 'critical']
    message: str
    logger: NotRequired[str]
    request_id: NotRequired[str]


class OrderCancellation(TypedDict):
    reason: Literal['customer_request', 'ordered_by_mistake', 'delivery_too_slow', 'fraud_suspected', 'staff_request', 'out_of_stock', 'payment_timeout', 'payment_cancelled', 'no_carrier', 'process_timeout']
    comment: NotRequired[str]
    cancelled_by: Literal['anonymous', 'customer', 'staff', 'admin', 'agent', 'system']
    cancelled_at: str


class OrderItem(TypedDict):
    order_item_id: str
    product_id: str
    variant_id: str
    sku: str
    name: str
    variant_name: NotRequired[str]
    quantity: int
    unit_price: float
    line_total: float
    discount: NotRequired[float]
    net: NotRequired[float]
    tax_rate: NotRequired[float]
    tax: NotRequired[float]
    gross: NotRequired[float]
    image_url: NotRequired[str]


class OrderPayment(TypedDict):
    choice: Literal['saved_method', 'new_card', 'paypal']
    method: NotRequired[Literal['credit_card', 'debit_card', 'paypal']]
    brand: NotRequired[str]
    last4: NotRequired[str]
    payment_intent_id: NotRequired[str]
    failure_message: NotRequired[str]


class OrderStreamEvent(TypedDict):
    order_id: str
    status: Literal['pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded']
    payment_status: Literal['pending', 'processing', 'paid', 'failed', 'cancelled', 'refund_pending', 'partially_refunded', 'refunded']
    fulfillment_status: Literal['pending', 'reserved', 'scheduled', 'shipped', 'delivered', 'returned', 'cancelled']
    final: bool
    estimated_delivery: NotRequired[str]
    updated_at: str


class OrderSummary(TypedDict):
    order_id: str
    order_number: str
    status: Literal['pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded']
    payment_status: Literal['pending', 'processing', 'paid', 'failed', 'cancelled', 'refund_pending', 'partially_refunded', 'refunded']
    fulfillment_status: Literal['pending', 'reserved', 'scheduled', 'shipped', 'delivered', 'returned', 'cancelled']
    total: float
    currency: str
    item_count: int
    first_item_name: str
    first_item_image_url: NotRequired[str]
    estimated_delivery: NotRequired[str]
    created_at: str
    updated_at: str


class OrderSummaryPage(TypedDict):
    items: list[OrderSummary]
    page: int
    limit: int
    next_cursor: str | None


class OrderTotals(TypedDict):
    subtotal: float
    discount: float
    shipping: float
    tax: float
    rounding: NotRequired[float]
    total: float
    currency: str


class Payment(TypedDict):
    payment_intent_id: str
    order_id: str
    status: Literal['requires_payment_method', 'requires_confirmation', 'requires_action', 'processing', 'succeeded', 'cancelled']
    order_status: Literal['pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded']
    amount: float
    amount_refunded: float
    currency: str
    method: NotRequired[Literal['credit_card', 'debit_card', 'paypal']]
    brand: NotRequired[str]
    last4: NotRequired[str]
    created_at: str
    paid_at: NotRequired[str]


class PaymentIntent(TypedDict):
    payment_intent_id: str
    order_id: str
    client_secret: str
    status: Literal['requires_payment_method', 'requires_confirmation', 'requires_action', 'processing', 'succeeded', 'cancelled']
    amount: float
    currency: str
    expires_at: NotRequired[str]


class PaymentMethod(TypedDict):
    payment_method_id: str
    type: Literal['credit_card', 'paypal']
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
    billing_address: NotRequired[Address]
    billing_address_id: str | None
    is_default: bool
    created_at: str
    updated_at: str


class PaymentMethodPage(TypedDict):
    items: list[PaymentMethod]
    page: int
    limit: int
    total: int
    next_cursor: str | None


class PriceChange(TypedDict):
    price: ProductPrice
    started_at: str
    ended_at: NotRequired[str]
    changed_by: NotRequired[str]


class ProductFacets(TypedDict):
    category: NotRequired[str]
    total: int
    categories: list[CategoryFacet]
    price_ranges: list[PriceFacet]
    brands: list[FacetValue]
    ratings: list[RatingFacet]
    availability: list[AvailabilityFacet]
    attributes: list[AttributeFacet]


class ProductImage(TypedDict):
    url: str
    alt: str
    order: int


class ProductInventory(TypedDict):
    product_id: str
    status: Literal['in_stock', 'low_stock', 'out_of_stock']
    available: int
    variants: list[VariantStock]
    updated_at: str


class ProductSummary(TypedDict):
    product_id: str
    name: str
    slug: str
    brand: str
    price: ProductPrice
    image_url: NotRequired[str]
    in_stock: bool
    rating: RatingSummary


class ProductVariant(TypedDict):
    variant_id: str
    sku: str
    attributes: dict[str, str]
    price_adjustment: float
    stock: int
    weight_grams: NotRequired[int]


class PromoResult(TypedDict):
    valid: bool
    code: str
    type: Literal['percentage', 'fixed', 'free_shipping']
    discount: float
    currency: str
    totals: CartTotals


class Promotion(TypedDict):
    code: str
    description: NotRequired[str]
    type: Literal['percentage', 'fixed', 'free_shipping']
    value: float
    currency: NotRequired[str]
    minimum_subtotal: NotRequired[float]
    starts_at: NotRequired[str]
    ends_at: NotRequired[str]
    once_per_customer: bool
    max_redemptions: NotRequired[int]
    redeemed: int
    active: bool
    created_at: str
    updated_at: str


class PromotionPage(TypedDict):
    items: list[Promotion]
    page: int
    limit: int
    total: NotRequired[int]
    next_cursor: str | None


class QuoteLine(TypedDict):
    cart_item_id: str
    product_id: str
    variant_id: str
    sku: str
    name: str
    quantity: int
    unit_price: float
    line_total: float
    discount: float
    tax_rate: float
    tax: float
    currency: str


class QuoteTotals(TypedDict):
    subtotal: float
    discount: float
    shipping: float
    tax: float
    rounding: NotRequired[float]
    total: float
    currency: str


class ReadinessCheck(TypedDict):
    name: str
    status: Literal['up', 'down']


class Refund(TypedDict):
    refund_id: str
    order_id: str
    payment_intent_id: str
    return_id: NotRequired[str]
    amount: float
    currency: str
    reason: Literal['requested_by_customer', 'return', 'order_cancelled', 'goodwill', 'duplicate', 'fraudulent', 'delivery_failed']
    status: Literal['pending', 'succeeded', 'failed']
    note: NotRequired[str]
    created_by: NotRequired[str]
    created_at: str


class RelatedProducts(TypedDict):
    items: list[ProductSummary]


class ReturnItem(TypedDict):
    order_item_id: str
    product_id: str
    variant_id: str
    sku: str
    name: str
    quantity: int
    reason: Literal['damaged', 'defective', 'wrong_item', 'not_as_described', 'does_not_fit', 'changed_mind', 'arrived_late', 'other']
    refund_amount: float
    exchange_variant_id: NotRequired[str]
    received_quantity: NotRequired[int]
    condition: NotRequired[Literal['new', 'opened', 'damaged', 'missing']]


class ReturnRequest(TypedDict):
    return_id: str
    return_number: str
    order_id: str
    order_number: str
    type: Literal['return', 'exchange']
    reason: Literal['damaged', 'defective', 'wrong_item', 'not_as_described', 'does_not_fit', 'changed_mind', 'arrived_late', 'other']
    comment: NotRequired[str]
    images: NotRequired[list[str]]
    status: Literal['requested', 'approved', 'rejected', 'received', 'refunded']
    items: list[ReturnItem]
    refund_amount: float
    currency: str
    rejection_reason: NotRequired[str]
    instructions: NotRequired[str]
    ticket_id: NotRequired[str]
    refund_id: NotRequired[str]
    exchange_order_id: NotRequired[str]
    created_at: str
    updated_at: str
    decided_at: NotRequired[str]
    received_at: NotRequired[str]
    refunded_at: NotRequired[str]


class ReturnSuggestion(TypedDict):
    verdict: Literal['approve', 'reject', 'review']
    explanation: str
    confidence: NotRequired[float]
    created_at: str


class ReturnSummary(TypedDict):
    return_id: str
    return_number: str
    order_id: str
    order_number: str
    type: Literal['return', 'exchange']
    reason: Literal['damaged', 'defective', 'wrong_item', 'not_as_described', 'does_not_fit', 'changed_mind', 'arrived_late', 'other']
    status: Literal['requested', 'approved', 'rejected', 'received', 'refunded']
    item_count: int
    refund_amount: float
    currency: str
    created_at: str
    updated_at: str


class Review(TypedDict):
    review_id: str
    product_id: str
    author_name: str
    rating: int
    title: str
    comment: str
    verified_purchase: bool
    helpful_count: int
    not_helpful_count: int
    images: list[str]
    status: Literal['pending', 'published', 'rejected']
    created_at: str
    updated_at: str
    published_at: NotRequired[str]


class ReviewPage(TypedDict):
    items: list[Review]
    page: int
    limit: int
    total: NotRequired[int]
    next_cursor: str | None
    summary: ReviewSummary


class Rewards(TypedDict):
    points: int
    tier: Literal['bronze', 'silver', 'gold', 'platinum']
    lifetime_spend: float
    currency: str
    next_tier: NotRequired[Literal['bronze', 'silver', 'gold', 'platinum']]
    points_to_next_tier: NotRequired[int]


class SalesPoint(TypedDict):
    date: str
    revenue: float
    orders: int
    units_sold: int
    avg_order_value: float
    new_customers: int


class Service(TypedDict):
    service_name: str
    kind: Literal['application', 'agent', 'infrastructure']
    state: Literal['healthy', 'degraded', 'unhealthy', 'disabled', 'unknown']
    version: NotRequired[str]
    instances: int
    uptime_seconds: int
    restartable: bool
    metrics: ServiceMetrics
    checked_at: str


class ServiceHealth(TypedDict):
    service_name: str
    kind: Literal['application', 'agent', 'infrastructure']
    state: Literal['healthy', 'degraded', 'unhealthy', 'disabled', 'unknown']
    response_time_ms: NotRequired[float]
    message: NotRequired[str]
    checked_at: str


class ServiceLogs(TypedDict):
    service_name: str
    lines: list[LogLine]


class ServicePage(TypedDict):
    items: list[Service]
    page: int
    limit: int
    total: NotRequired[int]
    next_cursor: str | None


class ServiceRestart(TypedDict):
    service_name: str
    status: Literal['accepted', 'in_progress']
    requested_by: str
    requested_at: str


class ShipmentEvent(TypedDict):
    event_id: str
    status: Literal['label_created', 'picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned', 'cancelled']
    location: NotRequired[str]
    timestamp: str
    description: str


class ShipmentIssue(TypedDict):
    issue_id: str
    type: Literal['delay', 'weather', 'address_problem', 'customs', 'damaged', 'lost', 'other']
    severity: Literal['low', 'medium', 'high']
    description: str
    detected_at: str
    resolved_at: NotRequired[str]


class ShipmentLocation(TypedDict):
    city: str
    state: NotRequired[str]
    country: str
    updated_at: str


class ShipmentNotification(TypedDict):
    notification_id: str
    shipment_id: str
    notification_type: Literal['email', 'sms']
    kind: Literal['shipped', 'status_update', 'out_for_delivery', 'delayed', 'delivered']
    recipient: str
    status: Literal['queued', 'sent', 'failed']
    created_at: str


class ShipmentSummary(TypedDict):
    shipment_id: str
    order_id: str
    order_number: str
    carrier: Literal['FedEx', 'UPS', 'USPS', 'DHL']
    service_level: Literal['standard', 'express', 'overnight']
    tracking_number: str
    status: Literal['label_created', 'picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned', 'cancelled']
    recipient: str
    destination_city: str
    destination_country: str
    estimated_delivery: NotRequired[str]
    open_issues: int
    created_at: str
    updated_at: str


class ShipmentWeight(TypedDict):
    value: float
    unit: Literal['lbs', 'kg']


class ShippingCharge(TypedDict):
    price: float
    discount: float
    net: float
    tax_rate: float
    tax: float
    gross: float


class StaffOrderSummary(TypedDict):
    order_id: str
    order_number: str
    user_id: NotRequired[str]
    email: str
    customer_name: str
    status: Literal['pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded']
    payment_status: Literal['pending', 'processing', 'paid', 'failed', 'cancelled', 'refund_pending', 'partially_refunded', 'refunded']
    fulfillment_status: Literal['pending', 'reserved', 'scheduled', 'shipped', 'delivered', 'returned', 'cancelled']
    total: float
    currency: str
    item_count: int
    first_item_name: str
    carrier: NotRequired[Literal['FedEx', 'UPS', 'USPS', 'DHL']]
    tracking_number: NotRequired[str]
    attention: NotRequired[Literal['carrier_silent']]
    created_at: str
    updated_at: str


class StaffReturn(TypedDict):
    return_id: str
    return_number: str
    order_id: str
    order_number: str
    user_id: NotRequired[str]
    email: str
    type: Literal['return', 'exchange']
    reason: Literal['damaged', 'defective', 'wrong_item', 'not_as_described', 'does_not_fit', 'changed_mind', 'arrived_late', 'other']
    comment: NotRequired[str]
    images: NotRequired[list[str]]
    status: Literal['requested', 'approved', 'rejected', 'received', 'refunded']
    items: list[ReturnItem]
    refund_amount: float
    currency: str
    rejection_reason: NotRequired[str]
    instructions: NotRequired[str]
    ticket_id: NotRequired[str]
    refund_id: NotRequired[str]
    exchange_order_id: NotRequired[str]
    created_at: str
    updated_at: str
    decided_at: NotRequired[str]
    received_at: NotRequired[str]
    refunded_at: NotRequired[str]
    decided_by: NotRequired[str]
    notes: NotRequired[str]
    suggestion: NotRequired[ReturnSuggestion]


class StaffReturnSummary(TypedDict):
    return_id: str
    return_number: str
    order_id: str
    order_number: str
    user_id: NotRequired[str]
    email: str
    type: Literal['return', 'exchange']
    reason: Literal['damaged', 'defective', 'wrong_item', 'not_as_described', 'does_not_fit', 'changed_mind', 'arrived_late', 'other']
    status: Literal['requested', 'approved', 'rejected', 'received', 'refunded']
    item_count: int
    refund_amount: float
    currency: str
    created_at: str
    updated_at: str


class StaffReview(TypedDict):
    review_id: str
    product_id: str
    product_name: str
    user_id: str
    order_id: NotRequired[str]
    author_name: str
    rating: int
    title: str
    comment: str
    verified_purchase: bool
    helpful_count: int
    not_helpful_count: int
    images: list[str]
    status: Literal['pending', 'published', 'rejected']
    moderation_notes: str
    moderated_by: NotRequired[str]
    moderated_at: NotRequired[str]
    created_at: str
    updated_at: str
    published_at: NotRequired[str]


class StaffReviewPage(TypedDict):
    items: list[StaffReview]
    page: int
    limit: int
    total: NotRequired[int]
    next_cursor: str | None


class StaffTicketMessage(TypedDict):
    message_id: str
    author_id: NotRequired[str]
    author_type: Literal['customer', 'staff', 'agent', 'system']
    author_name: str
    message: str
    is_internal: bool
    created_at: str


class StaffTicketSummary(TypedDict):
    ticket_id: str
    ticket_number: str
    user_id: str
    customer_name: str
    assigned_to: NotRequired[str]
    category: Literal['product_quality', 'wrong_item', 'missing_item', 'damaged_in_transit', 'late_delivery', 'billing', 'account_access', 'product_information', 'other']
    order_id: NotRequired[str]
    type: Literal['return', 'exchange', 'refund', 'order', 'delivery', 'payment', 'product', 'account', 'other']
    subject: str
    status: Literal['pending', 'in_progress', 'waiting_on_customer', 'resolved', 'closed']
    priority: Literal['low', 'normal', 'high', 'urgent']
    message_count: int
    created_at: str
    updated_at: str
    first_response_at: NotRequired[str]


class StockLevel(TypedDict):
    product_id: str
    variant_id: str
    sku: str
    on_hand: int
    reserved: int
    available: int
    status: Literal['in_stock', 'low_stock', 'out_of_stock']
    updated_at: str


class SystemHealth(TypedDict):
    state: Literal['healthy', 'degraded', 'unhealthy', 'disabled', 'unknown']
    version: str
    uptime_seconds: int
    services: list[ServiceHealth]
    checked_at: str


class TicketMessage(TypedDict):
    message_id: str
    author_type: Literal['customer', 'staff', 'agent', 'system']
    author_name: str
    message: str
    created_at: str


class TicketSummary(TypedDict):
    ticket_id: str
    ticket_number: str
    order_id: NotRequired[str]
    type: Literal['return', 'exchange', 'refund', 'order', 'delivery', 'payment', 'product', 'account', 'other']
    subject: str
    status: Literal['pending', 'in_progress', 'waiting_on_customer', 'resolved', 'closed']
    priority: Literal['low', 'normal', 'high', 'urgent']
    message_count: int
    created_at: str
    updated_at: str


class TopProduct(TypedDict):
    rank: int
    product_id: str
    name: str
    slug: str
    category_slug: str
    image_url: NotRequired[str]
    sales: int
    revenue: float
    views: int
    add_to_cart: int
    conversion_rate: float


class TopProductPage(TypedDict):
    items: list[TopProduct]
    page: int
    limit: int
    next_cursor: str | None
    period: AnalyticsPeriod
    sort_by: Literal['sales', 'revenue', 'views']
    currency: str


class TrackingEvent(TypedDict):
    event_id: str
    stage: Literal['order_placed', 'payment_confirmed', 'payment_failed', 'processing', 'label_created', 'picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned', 'cancelled', 'refunded']
    description: str
    location: NotRequired[str]
    timestamp: str


class User(TypedDict):
    user_id: str
    email: str
    pending_email: NotRequired[str]
    name: str
    role: Literal['customer', 'staff', 'admin']
    phone: str | None
    email_verified: bool
    newsletter_opt_in: bool
    two_factor_enabled: bool
    profile: UserProfile
    rewards: Rewards
    created_at: str
    updated_at: str
    last_login: str | None


class UserPage(TypedDict):
    items: list[User]
    page: int
    limit: int
    next_cursor: str | None


class WishlistItem(TypedDict):
    product_id: str
    added_at: str
    added_price: float
    currency: str
    price_dropped: bool
    back_in_stock: bool
    product: ProductSummary


class WishlistItemPage(TypedDict):
    items: list[WishlistItem]
    page: int
    limit: int
    total: int
    next_cursor: str | None


class CarrierTracking(TypedDict):
    shipment_id: str
    carrier: Literal['FedEx', 'UPS', 'USPS', 'DHL']
    tracking_number: str
    tracking_url: NotRequired[str]
    status: Literal['label_created', 'picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned', 'cancelled']
    carrier_status: str
    estimated_delivery: NotRequired[str]
    events: list[ShipmentEvent]
    fetched_at: str


class Cart(TypedDict):
    cart_id: NotRequired[str]
    user_id: NotRequired[str]
    items: list[CartItem]
    totals: CartTotals
    promo_code: str | None
    notices: list[CartNotice]
    session_id: NotRequired[str]
    guest_session: NotRequired[GuestSession]
    created_at: NotRequired[str]
    updated_at: NotRequired[str]
    expires_at: NotRequired[str]


class CategoryAnalytics(TypedDict):
    period: AnalyticsPeriod
    currency: str
    items: list[CategorySales]
    generated_at: str


class CategoryDetail(TypedDict):
    category: Category
    breadcrumbs: list[CategoryLink]
    children: list[Category]


class ConversionAnalytics(TypedDict):
    period: AnalyticsPeriod
    sessions: int
    product_views: int
    add_to_cart: int
    orders: int
    add_to_cart_rate: float
    cart_to_order_rate: float
    conversion_rate: float
    series: list[ConversionPoint]
    generated_at: str


class Dashboard(TypedDict):
    stats: DashboardStats
    recent_orders: list[OrderSummary]
    recommendations: list[ProductSummary]


class LoginResult(TypedDict):
    mfa_required: bool
    mfa_token: NotRequired[str]
    mfa_expires_in: NotRequired[int]
    access_token: NotRequired[str]
    refresh_token: NotRequired[str]
    token_type: NotRequired[Literal['Bearer']]
    expires_in: NotRequired[int]
    mfa_enrolment_required: NotRequired[bool]
    refresh_expires_in: NotRequired[int]
    csrf_token: NotRequired[str]
    user: NotRequired[User]


class OrderShipping(TypedDict):
    method: Literal['standard', 'express', 'overnight']
    charge: NotRequired[ShippingCharge]
    carrier: NotRequired[Literal['FedEx', 'UPS', 'USPS', 'DHL']]
    tracking_number: NotRequired[str]
    shipment_id: NotRequired[str]
    estimated_delivery: NotRequired[str]
    delivered_at: NotRequired[str]


class OrderTracking(TypedDict):
    order_id: str
    order_number: str
    status: Literal['pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded']
    fulfillment_status: Literal['pending', 'reserved', 'scheduled', 'shipped', 'delivered', 'returned', 'cancelled']
    carrier: NotRequired[Literal['FedEx', 'UPS', 'USPS', 'DHL']]
    tracking_number: NotRequired[str]
    tracking_url: NotRequired[str]
    estimated_delivery: NotRequired[str]
    delivered_at: NotRequired[str]
    current_location: NotRequired[ShipmentLocation]
    timeline: list[TrackingEvent]
    issues: list[ShipmentIssue]
    updated_at: str


class Product(TypedDict):
    id: str
    product_id: str
    category_slug: str
    sku: str
    name: str
    slug: str
    description: str
    long_description: str
    brand: str
    price: ProductPrice
    images: list[ProductImage]
    variants: list[ProductVariant]
    attributes: dict[str, str]
    seo: ProductSeo
    status: Literal['draft', 'active', 'archived']
    rating: RatingSummary
    analytics: ProductAnalytics
    created_at: str
    updated_at: str
    published_at: NotRequired[str]


class ProductPage(TypedDict):
    items: list[Product]
    page: int
    limit: int
    total: NotRequired[int]
    next_cursor: str | None


class ProductSearchPage(TypedDict):
    items: list[Product]
    page: int
    limit: int
    total: NotRequired[int]
    next_cursor: str | None
    query: str
    corrected_query: NotRequired[str]


class Quote(TypedDict):
    cart_id: str
    lines: list[QuoteLine]
    shipping_methods: list[ShippingMethodOption]
    shipping_method: Literal['standard', 'express', 'overnight']
    promo_code: NotRequired[str]
    totals: QuoteTotals
    notices: list[CartNotice]
    valid_until: str


class Readiness(TypedDict):
    status: Literal['ok']
    version: str
    checks: list[ReadinessCheck]


class ReturnPage(TypedDict):
    items: list[ReturnSummary]
    page: int
    limit: int
    next_cursor: str | None


class SalesAnalytics(TypedDict):
    period: AnalyticsPeriod
    interval: Literal['day', 'week', 'month']
    currency: str
    revenue: float
    refunds: float
    orders: int
    units_sold: int
    avg_order_value: float
    new_customers: int
    series: list[SalesPoint]
    generated_at: str


class Session(TypedDict):
    access_token: str
    refresh_token: NotRequired[str]
    token_type: Literal['Bearer']
    expires_in: int
    mfa_enrolment_required: NotRequired[bool]
    refresh_expires_in: NotRequired[int]
    csrf_token: str
    session_id: NotRequired[str]
    user: NotRequired[User]


class Shipment(TypedDict):
    shipment_id: str
    order_id: str
    order_number: str
    user_id: NotRequired[str]
    carrier: Literal['FedEx', 'UPS', 'USPS', 'DHL']
    service_level: Literal['standard', 'express', 'overnight']
    tracking_number: str
    tracking_url: NotRequired[str]
    status: Literal['label_created', 'picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned', 'cancelled']
    origin: Address
    destination: Address
    estimated_delivery: NotRequired[str]
    actual_delivery: NotRequired[str]
    weight: NotRequired[ShipmentWeight]
    dimensions: NotRequired[ShipmentDimensions]
    events: list[ShipmentEvent]
    current_location: NotRequired[ShipmentLocation]
    issues: list[ShipmentIssue]
    notes: NotRequired[str]
    created_at: str
    updated_at: str


class ShipmentPage(TypedDict):
    items: list[ShipmentSummary]
    page: int
    limit: int
    next_cursor: str | None


class StaffOrderPage(TypedDict):
    items: list[StaffOrderSummary]
    page: int
    limit: int
    next_cursor: str | None


class StaffReturnPage(TypedDict):
    items: list[StaffReturnSummary]
    page: int
    limit: int
    next_cursor: str | None


class StaffTicket(TypedDict):
    ticket_id: str
    ticket_number: str
    user_id: str
    email: str
    customer_name: str
    order_id: NotRequired[str]
    return_id: NotRequired[str]
    type: Literal['return', 'exchange', 'refund', 'order', 'delivery', 'payment', 'product', 'account', 'other']
    category: Literal['product_quality', 'wrong_item', 'missing_item', 'damaged_in_transit', 'late_delivery', 'billing', 'account_access', 'product_information', 'other']
    subject: str
    description: str
    status: Literal['pending', 'in_progress', 'waiting_on_customer', 'resolved', 'closed']
    priority: Literal['low', 'normal', 'high', 'urgent']
    assigned_to: NotRequired[str]
    messages: list[StaffTicketMessage]
    tags: list[str]
    suggested_reply: NotRequired[str]
    resolution: NotRequired[str]
    created_at: str
    updated_at: str
    first_response_at: NotRequired[str]
    resolved_at: NotRequired[str]


class StaffTicketPage(TypedDict):
    items: list[StaffTicketSummary]
    page: int
    limit: int
    next_cursor: str | None


class StockAdjustment(TypedDict):
    adjustment_id: str
    delta: int
    reason: Literal['received', 'recount', 'damaged', 'lost', 'returned', 'correction']
    note: NotRequired[str]
    level: StockLevel
    created_by: str
    created_at: str


class Ticket(TypedDict):
    ticket_id: str
    ticket_number: str
    order_id: NotRequired[str]
    return_id: NotRequired[str]
    type: Literal['return', 'exchange', 'refund', 'order', 'delivery', 'payment', 'product', 'account', 'other']
    category: Literal['product_quality', 'wrong_item', 'missing_item', 'damaged_in_transit', 'late_delivery', 'billing', 'account_access', 'product_information', 'other']
    subject: str
    description: str
    status: Literal['pending', 'in_progress', 'waiting_on_customer', 'resolved', 'closed']
    priority: Literal['low', 'normal', 'high', 'urgent']
    messages: list[TicketMessage]
    resolution: NotRequired[str]
    created_at: str
    updated_at: str
    resolved_at: NotRequired[str]


class TicketPage(TypedDict):
    items: list[TicketSummary]
    page: int
    limit: int
    next_cursor: str | None


class AdminProduct(TypedDict):
    product: Product
    price_history: list[PriceChange]


class ErrorDetails(TypedDict):
    rule: NotRequired[Literal['email_taken', 'invalid_credentials', 'email_not_verified', 'token_invalid', 'token_expired', 'token_reused', 'csrf_failed', 'origin_not_allowed', 'mfa_required', 'mfa_code_invalid', 'mfa_attempts_exceeded', 'two_factor_already_enabled', 'two_factor_not_enabled', 'password_too_common', 'password_contains_email', 'password_too_long', 'password_unchanged', 'password_repetitive', 'password_contains_name', 'reauthentication_required', 'mfa_enrolment_required', 'provider_not_configured', 'identity_token_invalid', 'provider_email_missing', 'date_of_birth_invalid', 'last_admin', 'role_unchanged', 'slug_taken', 'sku_taken', 'category_not_found', 'category_not_empty', 'category_cycle', 'category_too_deep', 'product_not_found', 'variant_not_found', 'banner_window_invalid', 'price_invalid', 'already_reviewed', 'purchase_required', 'own_review', 'review_status_invalid', 'cart_empty', 'cart_changed', 'cart_not_found', 'quantity_limit', 'item_unavailable', 'out_of_stock', 'promo_code_unknown', 'promo_code_expired', 'promo_code_not_started', 'promo_code_used', 'promo_code_exhausted', 'promo_code_minimum', 'promo_code_taken', 'promotion_value_invalid', 'promotion_window_invalid', 'address_invalid', 'destination_not_served', 'shipping_method_unavailable', 'guest_email_required', 'expected_total_required', 'total_too_small', 'total_too_large', 'order_not_cancellable', 'order_state_invalid', 'amount_mismatch', 'amount_not_payable', 'payment_declined', 'payment_attempts_exceeded', 'payment_authentication_required', 'payment_already_made', 'payment_not_found', 'payment_method_invalid', 'refund_exceeds_payment', 'idempotency_key_reused', 'idempotency_in_progress', 'signature_invalid', 'stock_negative', 'return_window_closed', 'return_quantity_exceeded', 'return_state_invalid', 'order_not_delivered', 'ticket_state_invalid', 'ticket_closed', 'assignee_invalid', 'shipment_state_invalid', 'carrier_unknown', 'shipment_time_invalid', 'phone_missing', 'period_invalid', 'config_key_unknown', 'config_value_invalid', 'service_not_restartable', 'dead_letter_state_invalid', 'agent_unavailable', 'version_conflict', 'reference_not_found', 'in_use', 'limit_reached']]
    faults: NotRequired[list[Fault]]
    quote: NotRequired[Quote]
    decline_code: NotRequired[Literal['card_declined', 'insufficient_funds', 'expired_card', 'authentication_failed', 'processing_error']]
    attempts_left: NotRequired[int]


class Order(TypedDict):
    order_id: str
    order_number: str
    user_id: NotRequired[str]
    status: Literal['pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded']
    payment_status: Literal['pending', 'processing', 'paid', 'failed', 'cancelled', 'refund_pending', 'partially_refunded', 'refunded']
    fulfillment_status: Literal['pending', 'reserved', 'scheduled', 'shipped', 'delivered', 'returned', 'cancelled']
    email: str
    items: list[OrderItem]
    totals: OrderTotals
    shipping_address: Address
    billing_address: Address
    payment: OrderPayment
    shipping: OrderShipping
    promo_code: NotRequired[str]
    notes: NotRequired[str]
    cancellation: NotRequired[OrderCancellation]
    payment_due_at: NotRequired[str]
    created_at: str
    updated_at: str
    paid_at: NotRequired[str]
    completed_at: NotRequired[str]


class OrderLookup(TypedDict):
    order_id: str
    order_number: str
    user_id: NotRequired[str]
    status: Literal['pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded']
    payment_status: Literal['pending', 'processing', 'paid', 'failed', 'cancelled', 'refund_pending', 'partially_refunded', 'refunded']
    fulfillment_status: Literal['pending', 'reserved', 'scheduled', 'shipped', 'delivered', 'returned', 'cancelled']
    email: NotRequired[str]
    items: NotRequired[list[OrderItem]]
    totals: NotRequired[OrderTotals]
    shipping_address: NotRequired[Address]
    billing_address: NotRequired[Address]
    payment: NotRequired[OrderPayment]
    shipping: NotRequired[OrderShipping]
    promo_code: NotRequired[str]
    notes: NotRequired[str]
    cancellation: NotRequired[OrderCancellation]
    payment_due_at: NotRequired[str]
    created_at: str
    updated_at: str
    paid_at: NotRequired[str]
    completed_at: NotRequired[str]
    timeline: NotRequired[list[TrackingEvent]]


class ErrorBody(TypedDict):
    code: Literal['INVALID_REQUEST', 'UNAUTHORIZED', 'FORBIDDEN', 'RESOURCE_NOT_FOUND', 'METHOD_NOT_ALLOWED', 'CONFLICT', 'PRECONDITION_FAILED', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'UNPROCESSABLE_ENTITY', 'RATE_LIMIT_EXCEEDED', 'INTERNAL_SERVER_ERROR', 'NOT_IMPLEMENTED', 'SERVICE_UNAVAILABLE']
    message: str
    details: ErrorDetails
    timestamp: str
    request_id: str


class Error(TypedDict):
    error: ErrorBody
