"""Written by `make generate` from the contract. Do not edit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from generated import events as e
from handlers.inventory import events as inventory
from handlers.notifications import events as notifications
from handlers.orders import events as orders
from handlers.payments import events as payments
from handlers.products import events as products
from handlers.shipments import events as shipments
from handlers.users import events as users
from handlers.contract.services import EventServices
from handlers.platform.events import Event

_inventory_on_order_completed: Callable[[Event[e.OrderCompletedData], EventServices], Awaitable[None]] = inventory.on_order_completed
_inventory_on_payment_failed: Callable[[Event[e.PaymentFailedData], EventServices], Awaitable[None]] = inventory.on_payment_failed
_inventory_on_product_created: Callable[[Event[e.ProductCreatedData], EventServices], Awaitable[None]] = inventory.on_product_created
_inventory_on_product_deleted: Callable[[Event[e.ProductDeletedData], EventServices], Awaitable[None]] = inventory.on_product_deleted
_inventory_on_product_updated: Callable[[Event[e.ProductUpdatedData], EventServices], Awaitable[None]] = inventory.on_product_updated
_inventory_on_shipment_scheduled: Callable[[Event[e.ShipmentScheduledData], EventServices], Awaitable[None]] = inventory.on_shipment_scheduled
_notifications_on_account_notice_requested: Callable[[Event[e.AccountNoticeRequestedData], EventServices], Awaitable[None]] = notifications.on_account_notice_requested
_notifications_on_payment_attempt_failed: Callable[[Event[e.PaymentAttemptFailedData], EventServices], Awaitable[None]] = notifications.on_payment_attempt_failed
_notifications_on_payment_failed: Callable[[Event[e.PaymentFailedData], EventServices], Awaitable[None]] = notifications.on_payment_failed
_notifications_on_shipment_status_updated: Callable[[Event[e.ShipmentStatusUpdatedData], EventServices], Awaitable[None]] = notifications.on_shipment_status_updated
_notifications_on_user_created: Callable[[Event[e.UserCreatedData], EventServices], Awaitable[None]] = notifications.on_user_created
_orders_on_inventory_released: Callable[[Event[e.InventoryReleasedData], EventServices], Awaitable[None]] = orders.on_inventory_released
_orders_on_inventory_reservation_failed: Callable[[Event[e.InventoryReservationFailedData], EventServices], Awaitable[None]] = orders.on_inventory_reservation_failed
_orders_on_inventory_reserved: Callable[[Event[e.InventoryReservedData], EventServices], Awaitable[None]] = orders.on_inventory_reserved
_orders_on_payment_attempt_failed: Callable[[Event[e.PaymentAttemptFailedData], EventServices], Awaitable[None]] = orders.on_payment_attempt_failed
_orders_on_payment_failed: Callable[[Event[e.PaymentFailedData], EventServices], Awaitable[None]] = orders.on_payment_failed
_orders_on_payment_pending: Callable[[Event[e.PaymentPendingData], EventServices], Awaitable[None]] = orders.on_payment_pending
_orders_on_refund_failed: Callable[[Event[e.RefundFailedData], EventServices], Awaitable[None]] = orders.on_refund_failed
_orders_on_shipment_cancelled: Callable[[Event[e.ShipmentCancelledData], EventServices], Awaitable[None]] = orders.on_shipment_cancelled
_orders_on_shipment_rejected: Callable[[Event[e.ShipmentRejectedData], EventServices], Awaitable[None]] = orders.on_shipment_rejected
_orders_on_shipment_scheduled: Callable[[Event[e.ShipmentScheduledData], EventServices], Awaitable[None]] = orders.on_shipment_scheduled
_orders_on_shipment_status_updated: Callable[[Event[e.ShipmentStatusUpdatedData], EventServices], Awaitable[None]] = orders.on_shipment_status_updated
_payments_on_inventory_reserved: Callable[[Event[e.InventoryReservedData], EventServices], Awaitable[None]] = payments.on_inventory_reserved
_payments_on_refund_requested: Callable[[Event[e.RefundRequestedData], EventServices], Awaitable[None]] = payments.on_refund_requested
_products_on_inventory_updated: Callable[[Event[e.InventoryUpdatedData], EventServices], Awaitable[None]] = products.on_inventory_updated
_products_on_product_created: Callable[[Event[e.ProductCreatedData], EventServices], Awaitable[None]] = products.on_product_created
_products_on_product_deleted: Callable[[Event[e.ProductDeletedData], EventServices], Awaitable[None]] = products.on_product_deleted
_products_on_product_updated: Callable[[Event[e.ProductUpdatedData], EventServices], Awaitable[None]] = products.on_product_updated
_products_on_stock_level_changed: Callable[[Event[e.StockLevelChangedData], EventServices], Awaitable[None]] = products.on_stock_level_changed
_shipments_on_shipment_overdue: Callable[[Event[e.ShipmentOverdueData], EventServices], Awaitable[None]] = shipments.on_shipment_overdue
_shipments_on_shipment_scheduled: Callable[[Event[e.ShipmentScheduledData], EventServices], Awaitable[None]] = shipments.on_shipment_scheduled
_users_on_order_completed: Callable[[Event[e.OrderCompletedData], EventServices], Awaitable[None]] = users.on_order_completed
_users_on_profile_updated: Callable[[Event[e.ProfileUpdatedData], EventServices], Awaitable[None]] = users.on_profile_updated
_users_on_refund_failed: Callable[[Event[e.RefundFailedData], EventServices], Awaitable[None]] = users.on_refund_failed

__all__ = ["Awaitable", "Callable", "Event", "EventServices", "e"]
