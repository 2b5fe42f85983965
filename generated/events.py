# Written by `make generate` from the contract. Do not edit.

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal as Literal

from typing import Literal, NotRequired, TypedDict


class ProductPrice(TypedDict):
    amount: float
    currency: str
    compare_at: NotRequired[float]
    tax_rate: float


class ProfileUpdatedData(TypedDict):
    user_id: str
    order_id: NotRequired[str]
    orders_count: int
    segments: list[str]


class RatingSummary(TypedDict):
    average: float
    count: int


class RefundRequestedData(TypedDict):
    order_id: str
    order_number: str
    user_id: str
    amount: float
    currency: str
    payment_intent_id: NotRequired[str]


class ShipmentDimensions(TypedDict):
    length: float
    width: float
    height: float
    unit: Literal['inches', 'cm']


class TicketUpdatedData(TypedDict):
    ticket_id: str
    ticket_number: str
    user_id: str
    change: Literal['status', 'assignment', 'priority', 'staff_response', 'customer_response', 'internal_note']
    status: Literal['pending', 'in_progress', 'waiting_on_customer', 'resolved', 'closed']
    previous_status: NotRequired[Literal['pending', 'in_progress', 'waiting_on_customer', 'resolved', 'closed']]
    priority: Literal['low', 'normal', 'high', 'urgent']
    assigned_to: NotRequired[str]
    message_id: NotRequired[str]
    changed_by: Literal['anonymous', 'customer', 'staff', 'admin', 'agent', 'system']


class UserCreatedData(TypedDict):
    user_id: str
    role: Literal['customer', 'staff', 'admin']
    newsletter_opt_in: bool


class UserDeletedData(TypedDict):
    user_id: str


class UserUpdatedData(TypedDict):
    user_id: str
    role: Literal['customer', 'staff', 'admin']
    newsletter_opt_in: bool
    changed_fields: list[Literal['email', 'email_verified', 'password', 'name', 'phone', 'role', 'profile', 'preferences', 'newsletter_opt_in', 'rewards']]


class VariantStock(TypedDict):
    variant_id: str
    sku: str
    status: Literal['in_stock', 'low_stock', 'out_of_stock']
    available: int


class AccountNoticeRequestedData(TypedDict):
    user_id: str
    notice_id: str
    kind: Literal['verification_requested', 'password_reset_requested', 'email_change_requested', 'email_changed', 'phone_changed', 'password_changed', 'two_factor_on', 'two_factor_off', 'recovery_codes_renewed', 'recovery_code_used', 'account_deleted']


class DeliveryCompletedData(TypedDict):
    shipment_id: str
    order_id: str
    user_id: NotRequired[str]
    carrier: Literal['FedEx', 'UPS', 'USPS', 'DHL']
    tracking_number: str
    estimated_delivery: NotRequired[str]
    delivered_at: str


class ETAUpdatedData(TypedDict):
    shipment_id: str
    order_id: str
    estimated_delivery: str
    previous_estimated_delivery: NotRequired[str]
    confidence: NotRequired[float]


class EventAddress(TypedDict):
    line1: str
    line2: NotRequired[str]
    city: str
    state: NotRequired[str]
    postal_code: str
    country: str


class FailedReservation(TypedDict):
    product_id: str
    variant_id: str
    requested: int
    available: int
    reason: Literal['out_of_stock', 'not_sold', 'unknown_variant']


class InventoryReservationFailedData(TypedDict):
    order_id: str
    failed_items: list[FailedReservation]


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


class OrderProcessedData(TypedDict):
    order_id: str
    status: Literal['pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded']


class OrderTotals(TypedDict):
    subtotal: float
    discount: float
    shipping: float
    tax: float
    rounding: NotRequired[float]
    total: float
    currency: str


class OrderUpdatedData(TypedDict):
    order_id: str
    order_number: str
    user_id: str
    revision: NotRequired[int]
    status: Literal['pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded']
    previous_status: Literal['pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded']
    payment_status: Literal['pending', 'processing', 'paid', 'failed', 'cancelled', 'refund_pending', 'partially_refunded', 'refunded']
    fulfillment_status: Literal['pending', 'reserved', 'scheduled', 'shipped', 'delivered', 'returned', 'cancelled']
    estimated_delivery: NotRequired[str]


class PaymentAttemptFailedData(TypedDict):
    order_id: str
    user_id: str
    payment_intent_id: str
    failure_code: Literal['card_declined', 'insufficient_funds', 'expired_card', 'authentication_failed', 'fraud_suspected', 'processing_error', 'abandoned']
    failure_message: NotRequired[str]
    attempts: int
    attempts_left: int
    failed_at: str


class PaymentPendingData(TypedDict):
    order_id: str
    user_id: str
    payment_intent_id: str
    pending_since: str


class ProductDeletedData(TypedDict):
    product_id: str
    category_slug: str
    sku: str
    variant_ids: list[str]


class ProductInventory(TypedDict):
    product_id: str
    status: Literal['in_stock', 'low_stock', 'out_of_stock']
    available: int
    variants: list[VariantStock]
    updated_at: str


class ProductVariant(TypedDict):
    variant_id: str
    sku: str
    attributes: dict[str, str]
    price_adjustment: float
    stock: int
    weight_grams: NotRequired[int]


class RefundFailedData(TypedDict):
    refund_id: str
    order_id: str
    user_id: str
    payment_intent_id: str
    amount: float
    currency: str
    amount_refunded: float
    failed_at: str


class RefundProcessedData(TypedDict):
    refund_id: str
    order_id: str
    user_id: str
    payment_intent_id: str
    return_id: NotRequired[str]
    amount: float
    currency: str
    reason: Literal['requested_by_customer', 'return', 'order_cancelled', 'goodwill', 'duplicate', 'fraudulent', 'delivery_failed']
    amount_refunded: NotRequired[float]
    fully_refunded: bool
    refunded_at: str


class ReservedItem(TypedDict):
    product_id: str
    variant_id: str
    sku: str
    quantity: int


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


class ReturnReceivedData(TypedDict):
    return_id: str
    return_number: str
    order_id: str
    order_number: str
    user_id: str
    type: Literal['return', 'exchange']
    items: list[ReturnItem]
    refund_amount: float
    currency: str
    payment_intent_id: NotRequired[str]
    received_at: str


class ReturnRejectedData(TypedDict):
    return_id: str
    return_number: str
    order_id: str
    order_number: str
    user_id: str
    type: Literal['return', 'exchange']
    decided_at: str


class ReturnRequestedData(TypedDict):
    return_id: str
    return_number: str
    order_id: str
    order_number: str
    user_id: str
    type: Literal['return', 'exchange']
    reason: Literal['damaged', 'defective', 'wrong_item', 'not_as_described', 'does_not_fit', 'changed_mind', 'arrived_late', 'other']
    items: list[ReturnItem]
    refund_amount: float
    currency: str
    delivered_at: NotRequired[str]


class ReviewPublishedData(TypedDict):
    review_id: str
    product_id: str
    user_id: str
    rating: int
    verified_purchase: bool
    product_rating: RatingSummary
    published_at: str


class ShipmentCancelledData(TypedDict):
    order_id: str
    user_id: str
    shipment_id: NotRequired[str]
    carrier: NotRequired[Literal['FedEx', 'UPS', 'USPS', 'DHL']]
    tracking_number: NotRequired[str]
    reason: Literal['customer_request', 'ordered_by_mistake', 'delivery_too_slow', 'fraud_suspected', 'staff_request', 'out_of_stock', 'payment_timeout', 'payment_cancelled', 'no_carrier', 'process_timeout']
    cancelled_by: Literal['anonymous', 'customer', 'staff', 'admin', 'agent', 'system']
    cancelled_at: str


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


class ShipmentOverdueData(TypedDict):
    order_id: str
    order_number: str
    user_id: str
    paid_at: str
    shipping_method: Literal['standard', 'express', 'overnight']


class ShipmentRejectedData(TypedDict):
    order_id: str
    reason: Literal['too_heavy', 'destination_not_served']


class ShipmentStatusUpdatedData(TypedDict):
    shipment_id: str
    order_id: str
    user_id: NotRequired[str]
    carrier: Literal['FedEx', 'UPS', 'USPS', 'DHL']
    service_level: Literal['standard', 'express', 'overnight']
    tracking_number: str
    status: Literal['label_created', 'picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned', 'cancelled']
    previous_status: Literal['label_created', 'picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned', 'cancelled']
    location: NotRequired[ShipmentLocation]
    destination: EventAddress
    estimated_delivery: NotRequired[str]
    occurred_at: str


class ShipmentWeight(TypedDict):
    value: float
    unit: Literal['lbs', 'kg']


class StockLevel(TypedDict):
    product_id: str
    variant_id: str
    sku: str
    on_hand: int
    reserved: int
    available: int
    status: Literal['in_stock', 'low_stock', 'out_of_stock']
    updated_at: str


class StockLevelChangedData(TypedDict):
    product_id: str
    variant_id: str
    reason: Literal['reserved', 'released', 'shipped', 'restocked', 'adjusted']
    on_hand_change: int
    reserved_change: int
    level: StockLevel
    version: int
    adjustment_reason: NotRequired[Literal['received', 'recount', 'damaged', 'lost', 'returned', 'correction']]
    order_id: NotRequired[str]
    return_id: NotRequired[str]


class TicketCreatedData(TypedDict):
    ticket_id: str
    ticket_number: str
    user_id: str
    order_id: NotRequired[str]
    return_id: NotRequired[str]
    type: Literal['return', 'exchange', 'refund', 'order', 'delivery', 'payment', 'product', 'account', 'other']
    category: NotRequired[Literal['product_quality', 'wrong_item', 'missing_item', 'damaged_in_transit', 'late_delivery', 'billing', 'account_access', 'product_information', 'other']]
    priority: Literal['low', 'normal', 'high', 'urgent']
    status: Literal['pending', 'in_progress', 'waiting_on_customer', 'resolved', 'closed']


class TicketResolvedData(TypedDict):
    ticket_id: str
    ticket_number: str
    user_id: str
    order_id: NotRequired[str]
    return_id: NotRequired[str]
    type: Literal['return', 'exchange', 'refund', 'order', 'delivery', 'payment', 'product', 'account', 'other']
    category: NotRequired[Literal['product_quality', 'wrong_item', 'missing_item', 'damaged_in_transit', 'late_delivery', 'billing', 'account_access', 'product_information', 'other']]
    resolved_by: NotRequired[str]
    created_at: str
    first_response_at: NotRequired[str]
    resolved_at: str


class InventoryReleasedData(TypedDict):
    order_id: str
    reason: Literal['payment_failed', 'order_cancelled', 'reservation_expired', 'reservation_incomplete']
    items: list[ReservedItem]


class InventoryReservedData(TypedDict):
    order_id: str
    reservations: list[ReservedItem]
    expires_at: NotRequired[str]


class InventoryUpdatedData(TypedDict):
    product_id: str
    inventory: ProductInventory


class OrderCancelledData(TypedDict):
    order_id: str
    order_number: str
    user_id: str
    reason: Literal['customer_request', 'ordered_by_mistake', 'delivery_too_slow', 'fraud_suspected', 'staff_request', 'out_of_stock', 'payment_timeout', 'payment_cancelled', 'no_carrier', 'process_timeout']
    cancelled_by: Literal['anonymous', 'customer', 'staff', 'admin', 'agent', 'system']
    previous_status: Literal['pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded']
    items: list[ReservedItem]
    amount_paid: float
    currency: str
    payment_intent_id: NotRequired[str]
    promo_code: NotRequired[str]
    cancelled_at: str


class OrderCompletedData(TypedDict):
    order_id: str
    order_number: str
    user_id: str
    items: list[OrderItem]
    totals: OrderTotals
    completed_at: str


class OrderCreatedData(TypedDict):
    order_id: str
    user_id: str
    order_number: str
    items: list[OrderItem]
    totals: OrderTotals
    shipping_address: EventAddress
    shipping_method: NotRequired[Literal['standard', 'express', 'overnight']]
    payment_choice: NotRequired[Literal['saved_method', 'new_card', 'paypal']]
    promo_code: NotRequired[str]


class PaymentFailedData(TypedDict):
    order_id: str
    user_id: str
    payment_intent_id: NotRequired[str]
    amount: float
    currency: str
    failure_code: Literal['card_declined', 'insufficient_funds', 'expired_card', 'authentication_failed', 'fraud_suspected', 'processing_error', 'abandoned']
    failure_message: NotRequired[str]
    items: list[ReservedItem]
    failed_at: str


class PaymentProcessedData(TypedDict):
    order_id: str
    order_number: str
    user_id: str
    payment_intent_id: NotRequired[str]
    method: NotRequired[Literal['credit_card', 'debit_card', 'paypal']]
    amount: float
    currency: str
    items: list[ReservedItem]
    shipping_address: EventAddress
    shipping_method: Literal['standard', 'express', 'overnight']
    weight: NotRequired[ShipmentWeight]
    paid_at: str


class ProductSnapshot(TypedDict):
    product_id: str
    category_slug: str
    sku: str
    name: str
    slug: str
    description: str
    brand: str
    price: ProductPrice
    variants: list[ProductVariant]
    attributes: dict[str, str]
    status: Literal['draft', 'active', 'archived']
    rating: NotRequired[RatingSummary]
    updated_at: str


class ProductUpdatedData(TypedDict):
    product_id: str
    changed_fields: list[Literal['category_slug', 'sku', 'name', 'slug', 'description', 'long_description', 'brand', 'price', 'images', 'variants', 'attributes', 'seo', 'status', 'rating']]
    previous_category_slug: NotRequired[str]
    product: ProductSnapshot


class ReturnApprovedData(TypedDict):
    return_id: str
    return_number: str
    order_id: str
    order_number: str
    user_id: str
    type: Literal['return', 'exchange']
    items: list[ReturnItem]
    refund_amount: float
    currency: str
    decided_at: str


class RouteIssueDetectedData(TypedDict):
    shipment_id: str
    order_id: str
    issue: ShipmentIssue


class ShipmentScheduledData(TypedDict):
    shipment_id: str
    order_id: str
    carrier: Literal['FedEx', 'UPS', 'USPS', 'DHL']
    service_level: Literal['standard', 'express', 'overnight']
    tracking_number: str
    items: list[ReservedItem]
    estimated_delivery: str
    weight: NotRequired[ShipmentWeight]
    dimensions: NotRequired[ShipmentDimensions]


class ProductCreatedData(TypedDict):
    product_id: str
    product: ProductSnapshot


@dataclass(frozen=True, slots=True)
class EventSpec:
    """Where an event goes and who reads it. `partition_key` points into the envelope."""

    topic: str
    partition_key: str
    groups: tuple[str, ...]
    data: str
    built: bool


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic: its partitions, and for how many hours it keeps events."""

    partitions: int
    retention_hours: int


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """A consumer group. `room` handles its `events`; for an agent's group, those that `room` plays meanwhile."""

    room: str | None
    agent: str | None
    topics: tuple[str, ...]
    events: tuple[str, ...]


EVENTS: Final[dict[str, EventSpec]] = {
    "AccountNoticeRequested": EventSpec('user-events', '/data/user_id', ('crud-notifications',), 'AccountNoticeRequestedData', True),
    "DeliveryCompleted": EventSpec('shipping-events', '/data/order_id', ('crm-profile-aggregation', 'crud-notifications', 'crud-orders'), 'DeliveryCompletedData', False),
    "ETAUpdated": EventSpec('shipping-events', '/data/order_id', ('crud-notifications', 'crud-orders', 'crud-shipments'), 'ETAUpdatedData', False),
    "InventoryReleased": EventSpec('inventory-events', '/data/order_id', ('crud-orders',), 'InventoryReleasedData', True),
    "InventoryReservationFailed": EventSpec('inventory-events', '/data/order_id', ('crud-orders',), 'InventoryReservationFailedData', True),
    "InventoryReserved": EventSpec('inventory-events', '/data/order_id', ('crud-orders', 'crud-payments'), 'InventoryReservedData', True),
    "InventoryUpdated": EventSpec('product-events', '/data/product_id', ('crud-search', 'ecommerce-catalog-search', 'inventory-health-check'), 'InventoryUpdatedData', True),
    "OrderCancelled": EventSpec('order-events', '/data/order_id', ('crud-analytics', 'crud-checkout', 'crud-notifications', 'crud-payments', 'crud-shipments', 'ecommerce-order-status', 'inventory-reservation-validation'), 'OrderCancelledData', False),
    "OrderCompleted": EventSpec('order-events', '/data/order_id', ('crm-profile-aggregation', 'crm-segmentation-personalization', 'crud-inventory', 'crud-users', 'ecommerce-order-status'), 'OrderCompletedData', True),
    "OrderCreated": EventSpec('order-events', '/data/order_id', ('crm-profile-aggregation', 'crud-analytics', 'crud-notifications', 'inventory-reservation-validation'), 'OrderCreatedData', False),
    "OrderProcessed": EventSpec('order-events', '/data/order_id', (), 'OrderProcessedData', True),
    "OrderUpdated": EventSpec('order-events', '/data/order_id', ('ecommerce-order-status',), 'OrderUpdatedData', True),
    "PaymentAttemptFailed": EventSpec('payment-events', '/data/order_id', ('crud-notifications', 'crud-orders'), 'PaymentAttemptFailedData', True),
    "PaymentFailed": EventSpec('payment-events', '/data/order_id', ('crud-notifications', 'crud-orders', 'inventory-reservation-validation'), 'PaymentFailedData', True),
    "PaymentPending": EventSpec('payment-events', '/data/order_id', ('crud-orders',), 'PaymentPendingData', True),
    "PaymentProcessed": EventSpec('payment-events', '/data/order_id', ('crud-analytics', 'crud-notifications', 'crud-orders', 'logistics-carrier-selection'), 'PaymentProcessedData', False),
    "ProductCreated": EventSpec('product-events', '/data/product_id', ('crud-inventory', 'crud-search', 'ecommerce-catalog-search', 'product-management-acp-transformation', 'product-management-assortment-optimization', 'product-management-consistency-validation', 'product-management-normalization-classification'), 'ProductCreatedData', True),
    "ProductDeleted": EventSpec('product-events', '/data/product_id', ('crud-inventory', 'crud-search', 'ecommerce-catalog-search', 'product-management-acp-transformation', 'product-management-assortment-optimization', 'product-management-consistency-validation', 'product-management-normalization-classification'), 'ProductDeletedData', True),
    "ProductUpdated": EventSpec('product-events', '/data/product_id', ('crud-inventory', 'crud-search', 'ecommerce-catalog-search', 'product-management-acp-transformation', 'product-management-assortment-optimization', 'product-management-consistency-validation', 'product-management-normalization-classification'), 'ProductUpdatedData', True),
    "ProfileUpdated": EventSpec('user-events', '/data/user_id', ('crm-segmentation-personalization', 'crud-users'), 'ProfileUpdatedData', True),
    "RefundFailed": EventSpec('payment-events', '/data/order_id', ('crud-orders', 'crud-users'), 'RefundFailedData', True),
    "RefundProcessed": EventSpec('payment-events', '/data/order_id', ('crm-support-assistance', 'crud-analytics', 'crud-notifications', 'crud-orders', 'crud-returns', 'crud-users'), 'RefundProcessedData', False),
    "RefundRequested": EventSpec('order-events', '/data/order_id', ('crud-payments',), 'RefundRequestedData', True),
    "ReturnApproved": EventSpec('support-events', '/data/order_id', ('crud-notifications', 'inventory-health-check', 'logistics-returns-support'), 'ReturnApprovedData', False),
    "ReturnReceived": EventSpec('support-events', '/data/order_id', ('crud-inventory', 'crud-notifications', 'crud-orders', 'crud-payments', 'inventory-health-check', 'logistics-returns-support'), 'ReturnReceivedData', False),
    "ReturnRejected": EventSpec('support-events', '/data/order_id', ('crud-notifications', 'logistics-returns-support'), 'ReturnRejectedData', False),
    "ReturnRequested": EventSpec('support-events', '/data/order_id', ('crud-notifications', 'logistics-returns-support'), 'ReturnRequestedData', False),
    "ReviewPublished": EventSpec('product-events', '/data/product_id', ('crud-products', 'ecommerce-product-detail-enrichment'), 'ReviewPublishedData', False),
    "RouteIssueDetected": EventSpec('shipping-events', '/data/order_id', ('crud-notifications', 'crud-orders', 'crud-shipments'), 'RouteIssueDetectedData', False),
    "ShipmentCancelled": EventSpec('shipping-events', '/data/order_id', ('crud-orders',), 'ShipmentCancelledData', True),
    "ShipmentOverdue": EventSpec('order-events', '/data/order_id', ('crud-shipments',), 'ShipmentOverdueData', True),
    "ShipmentRejected": EventSpec('shipping-events', '/data/order_id', ('crud-orders',), 'ShipmentRejectedData', True),
    "ShipmentScheduled": EventSpec('shipping-events', '/data/order_id', ('crud-inventory', 'crud-orders', 'crud-shipments'), 'ShipmentScheduledData', True),
    "ShipmentStatusUpdated": EventSpec('shipping-events', '/data/order_id', ('crud-notifications', 'crud-orders', 'logistics-eta-computation', 'logistics-route-issue-detection'), 'ShipmentStatusUpdatedData', True),
    "StockLevelChanged": EventSpec('inventory-events', '/data/product_id', ('crud-products', 'inventory-alerts-triggers', 'inventory-health-check', 'inventory-jit-replenishment'), 'StockLevelChangedData', True),
    "TicketCreated": EventSpec('support-events', '/data/ticket_id', ('crm-support-assistance', 'crud-notifications'), 'TicketCreatedData', False),
    "TicketResolved": EventSpec('support-events', '/data/ticket_id', ('crm-support-assistance', 'crud-notifications'), 'TicketResolvedData', False),
    "TicketUpdated": EventSpec('support-events', '/data/ticket_id', ('crm-support-assistance', 'crud-notifications'), 'TicketUpdatedData', False),
    "UserCreated": EventSpec('user-events', '/data/user_id', ('crm-profile-aggregation', 'crm-segmentation-personalization', 'crud-notifications'), 'UserCreatedData', True),
    "UserDeleted": EventSpec('user-events', '/data/user_id', ('crm-profile-aggregation', 'crm-segmentation-personalization', 'crud-addresses', 'crud-cart', 'crud-notifications', 'crud-orders', 'crud-payment-methods', 'crud-payments', 'crud-returns', 'crud-reviews', 'crud-shipments', 'crud-tickets', 'crud-wishlist'), 'UserDeletedData', False),
    "UserUpdated": EventSpec('user-events', '/data/user_id', ('crm-profile-aggregation', 'crm-segmentation-personalization'), 'UserUpdatedData', True),
}

TOPICS: Final[dict[str, TopicSpec]] = {
    "user-events": TopicSpec(8, 168),
    "product-events": TopicSpec(8, 168),
    "order-events": TopicSpec(8, 168),
    "inventory-events": TopicSpec(8, 168),
    "payment-events": TopicSpec(8, 168),
    "shipping-events": TopicSpec(8, 168),
    "support-events": TopicSpec(8, 168),
}

GROUPS: Final[dict[str, GroupSpec]] = {
    "crud-orders": GroupSpec('orders', None, ('user-events', 'inventory-events', 'payment-events', 'shipping-events', 'support-events'), ('DeliveryCompleted', 'ETAUpdated', 'InventoryReleased', 'InventoryReservationFailed', 'InventoryReserved', 'PaymentAttemptFailed', 'PaymentFailed', 'PaymentPending', 'PaymentProcessed', 'RefundFailed', 'RefundProcessed', 'ReturnReceived', 'RouteIssueDetected', 'ShipmentCancelled', 'ShipmentRejected', 'ShipmentScheduled', 'ShipmentStatusUpdated', 'UserDeleted')),
    "crud-payments": GroupSpec('payments', None, ('user-events', 'order-events', 'inventory-events', 'support-events'), ('InventoryReserved', 'OrderCancelled', 'RefundRequested', 'ReturnReceived', 'UserDeleted')),
    "crud-inventory": GroupSpec('inventory', None, ('order-events', 'product-events', 'shipping-events', 'support-events'), ('OrderCompleted', 'ProductCreated', 'ProductDeleted', 'ProductUpdated', 'ReturnReceived', 'ShipmentScheduled')),
    "crud-shipments": GroupSpec('shipments', None, ('user-events', 'order-events', 'shipping-events'), ('ETAUpdated', 'OrderCancelled', 'RouteIssueDetected', 'ShipmentOverdue', 'ShipmentScheduled', 'UserDeleted')),
    "crud-products": GroupSpec('products', None, ('product-events', 'inventory-events'), ('ReviewPublished', 'StockLevelChanged')),
    "crud-search": GroupSpec('products', None, ('product-events',), ('InventoryUpdated', 'ProductCreated', 'ProductDeleted', 'ProductUpdated')),
    "crud-users": GroupSpec('users', None, ('user-events', 'order-events', 'payment-events'), ('OrderCompleted', 'ProfileUpdated', 'RefundFailed', 'RefundProcessed')),
    "crud-checkout": GroupSpec('checkout', None, ('order-events',), ('OrderCancelled',)),
    "crud-returns": GroupSpec('returns', None, ('user-events', 'payment-events'), ('RefundProcessed', 'UserDeleted')),
    "crud-analytics": GroupSpec('analytics', None, ('order-events', 'payment-events'), ('OrderCancelled', 'OrderCreated', 'PaymentProcessed', 'RefundProcessed')),
    "crud-notifications": GroupSpec('notifications', None, ('user-events', 'order-events', 'payment-events', 'shipping-events', 'support-events'), ('AccountNoticeRequested', 'DeliveryCompleted', 'ETAUpdated', 'OrderCancelled', 'OrderCreated', 'PaymentAttemptFailed', 'PaymentFailed', 'PaymentProcessed', 'RefundProcessed', 'ReturnApproved', 'ReturnReceived', 'ReturnRejected', 'ReturnRequested', 'RouteIssueDetected', 'ShipmentStatusUpdated', 'TicketCreated', 'TicketResolved', 'TicketUpdated', 'UserCreated', 'UserDeleted')),
    "crud-addresses": GroupSpec('addresses', None, ('user-events',), ('UserDeleted',)),
    "crud-cart": GroupSpec('cart', None, ('user-events',), ('UserDeleted',)),
    "crud-payment-methods": GroupSpec('payment_methods', None, ('user-events',), ('UserDeleted',)),
    "crud-reviews": GroupSpec('reviews', None, ('user-events',), ('UserDeleted',)),
    "crud-tickets": GroupSpec('tickets', None, ('user-events',), ('UserDeleted',)),
    "crud-wishlist": GroupSpec('wishlist', None, ('user-events',), ('UserDeleted',)),
    "ecommerce-catalog-search": GroupSpec(None, 'ecommerce-catalog-search', ('product-events',), ()),
    "ecommerce-product-detail-enrichment": GroupSpec(None, 'ecommerce-product-detail-enrichment', ('product-events',), ()),
    "ecommerce-order-status": GroupSpec(None, 'ecommerce-order-status', ('order-events',), ()),
    "product-management-normalization-classification": GroupSpec(None, 'product-management-normalization-classification', ('product-events',), ()),
    "product-management-acp-transformation": GroupSpec(None, 'product-management-acp-transformation', ('product-events',), ()),
    "product-management-consistency-validation": GroupSpec(None, 'product-management-consistency-validation', ('product-events',), ()),
    "product-management-assortment-optimization": GroupSpec(None, 'product-management-assortment-optimization', ('product-events',), ()),
    "crm-profile-aggregation": GroupSpec('users', 'crm-profile-aggregation', ('user-events', 'order-events', 'shipping-events'), ('OrderCreated',)),
    "crm-segmentation-personalization": GroupSpec(None, 'crm-segmentation-personalization', ('user-events', 'order-events'), ()),
    "crm-support-assistance": GroupSpec(None, 'crm-support-assistance', ('payment-events', 'support-events'), ()),
    "inventory-health-check": GroupSpec(None, 'inventory-health-check', ('product-events', 'inventory-events', 'support-events'), ()),
    "inventory-jit-replenishment": GroupSpec(None, 'inventory-jit-replenishment', ('inventory-events',), ()),
    "inventory-reservation-validation": GroupSpec('inventory', 'inventory-reservation-validation', ('order-events', 'payment-events'), ('OrderCancelled', 'OrderCreated', 'PaymentFailed')),
    "inventory-alerts-triggers": GroupSpec(None, 'inventory-alerts-triggers', ('inventory-events',), ()),
    "logistics-eta-computation": GroupSpec(None, 'logistics-eta-computation', ('shipping-events',), ()),
    "logistics-carrier-selection": GroupSpec('shipments', 'logistics-carrier-selection', ('payment-events',), ('PaymentProcessed',)),
    "logistics-returns-support": GroupSpec(None, 'logistics-returns-support', ('support-events',), ()),
    "logistics-route-issue-detection": GroupSpec(None, 'logistics-route-issue-detection', ('shipping-events',), ()),
}

EventType = Literal[
    "AccountNoticeRequested",
    "DeliveryCompleted",
    "ETAUpdated",
    "InventoryReleased",
    "InventoryReservationFailed",
    "InventoryReserved",
    "InventoryUpdated",
    "OrderCancelled",
    "OrderCompleted",
    "OrderCreated",
    "OrderProcessed",
    "OrderUpdated",
    "PaymentAttemptFailed",
    "PaymentFailed",
    "PaymentPending",
    "PaymentProcessed",
    "ProductCreated",
    "ProductDeleted",
    "ProductUpdated",
    "ProfileUpdated",
    "RefundFailed",
    "RefundProcessed",
    "RefundRequested",
    "ReturnApproved",
    "ReturnReceived",
    "ReturnRejected",
    "ReturnRequested",
    "ReviewPublished",
    "RouteIssueDetected",
    "ShipmentCancelled",
    "ShipmentOverdue",
    "ShipmentRejected",
    "ShipmentScheduled",
    "ShipmentStatusUpdated",
    "StockLevelChanged",
    "TicketCreated",
    "TicketResolved",
    "TicketUpdated",
    "UserCreated",
    "UserDeleted",
    "UserUpdated",
]
