"""Written by `make generate` from the contract. Do not edit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from generated import models as m

__all__ = ["Literal", "date", "datetime", "field", "m"]


@dataclass(kw_only=True, slots=True)
class SocialLoginParameters:
    """Parameters of `socialLogin`."""

    provider: Literal["google", "microsoft", "facebook"]

@dataclass(kw_only=True, slots=True)
class CreateSocialNonceParameters:
    """Parameters of `createSocialNonce`."""

    provider: Literal["google", "microsoft", "facebook"]

@dataclass(kw_only=True, slots=True)
class UpdateMeParameters:
    """Parameters of `updateMe`."""

    if_match: str | None = None
    x_reauthentication: str | None = None

@dataclass(kw_only=True, slots=True)
class DeleteMeParameters:
    """Parameters of `deleteMe`."""

    x_reauthentication: str | None = None

@dataclass(kw_only=True, slots=True)
class RevokeSessionParameters:
    """Parameters of `revokeSession`."""

    session_id: str

@dataclass(kw_only=True, slots=True)
class RenewRecoveryCodesParameters:
    """Parameters of `renewRecoveryCodes`."""

    x_reauthentication: str | None = None

@dataclass(kw_only=True, slots=True)
class UpdatePreferencesParameters:
    """Parameters of `updatePreferences`."""

    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class ListAddressesParameters:
    """Parameters of `listAddresses`."""

    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class UpdateAddressParameters:
    """Parameters of `updateAddress`."""

    address_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class DeleteAddressParameters:
    """Parameters of `deleteAddress`."""

    address_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class SetDefaultAddressParameters:
    """Parameters of `setDefaultAddress`."""

    address_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class ListPaymentMethodsParameters:
    """Parameters of `listPaymentMethods`."""

    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class DeletePaymentMethodParameters:
    """Parameters of `deletePaymentMethod`."""

    payment_method_id: str

@dataclass(kw_only=True, slots=True)
class ListWishlistParameters:
    """Parameters of `listWishlist`."""

    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class RemoveFromWishlistParameters:
    """Parameters of `removeFromWishlist`."""

    product_id: str

@dataclass(kw_only=True, slots=True)
class RemoveFromWishlistAliasParameters:
    """Parameters of `removeFromWishlistAlias`."""

    product_id: str

@dataclass(kw_only=True, slots=True)
class ListProductsParameters:
    """Parameters of `listProducts`."""

    category: str | None = None
    filters: m.ProductFilters | None = None
    sort: Literal["relevance", "price", "name", "created_at", "rating", "popularity"] | None = None
    order: Literal["asc", "desc"] | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class ListFeaturedProductsParameters:
    """Parameters of `listFeaturedProducts`."""

    limit: int = 20
    offset: int | None = None
    page: int = 1
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class SearchProductsParameters:
    """Parameters of `searchProducts`."""

    q: str
    category: str | None = None
    filters: m.ProductFilters | None = None
    sort: Literal["relevance", "price", "name", "created_at", "rating", "popularity"] | None = None
    order: Literal["asc", "desc"] | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class GetProductFiltersParameters:
    """Parameters of `getProductFilters`."""

    category: str | None = None
    q: str | None = None
    filters: m.ProductFilters | None = None

@dataclass(kw_only=True, slots=True)
class GetProductParameters:
    """Parameters of `getProduct`."""

    product_id: str

@dataclass(kw_only=True, slots=True)
class ListRelatedProductsParameters:
    """Parameters of `listRelatedProducts`."""

    product_id: str
    limit: int = 8

@dataclass(kw_only=True, slots=True)
class ListAdminProductsParameters:
    """Parameters of `listAdminProducts`."""

    status: Literal["draft", "active", "archived"] | None = None
    q: str | None = None
    category: str | None = None
    sort: Literal["relevance", "price", "name", "created_at", "rating", "popularity"] | None = None
    order: Literal["asc", "desc"] | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class GetAdminProductParameters:
    """Parameters of `getAdminProduct`."""

    product_id: str

@dataclass(kw_only=True, slots=True)
class UpdateProductParameters:
    """Parameters of `updateProduct`."""

    product_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class DeleteProductParameters:
    """Parameters of `deleteProduct`."""

    product_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class GetProductInventoryParameters:
    """Parameters of `getProductInventory`."""

    product_id: str

@dataclass(kw_only=True, slots=True)
class AdjustStockParameters:
    """Parameters of `adjustStock`."""

    variant_id: str
    idempotency_key: str | None = None

@dataclass(kw_only=True, slots=True)
class ListCategoriesParameters:
    """Parameters of `listCategories`."""

    parent: str | None = None
    top_level: bool = False
    page: int = 1
    limit: int = 20
    offset: int | None = None
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class GetCategoryParameters:
    """Parameters of `getCategory`."""

    slug: str

@dataclass(kw_only=True, slots=True)
class UpdateCategoryParameters:
    """Parameters of `updateCategory`."""

    slug: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class DeleteCategoryParameters:
    """Parameters of `deleteCategory`."""

    slug: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class ListActiveBannersParameters:
    """Parameters of `listActiveBanners`."""

    placement: Literal["hero", "sidebar", "footer"] | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class ListBannersParameters:
    """Parameters of `listBanners`."""

    placement: Literal["hero", "sidebar", "footer"] | None = None
    status: Literal["draft", "active", "archived"] | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class GetBannerParameters:
    """Parameters of `getBanner`."""

    banner_id: str

@dataclass(kw_only=True, slots=True)
class UpdateBannerParameters:
    """Parameters of `updateBanner`."""

    banner_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class DeleteBannerParameters:
    """Parameters of `deleteBanner`."""

    banner_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class ListProductReviewsParameters:
    """Parameters of `listProductReviews`."""

    product_id: str
    sort: Literal["recent", "helpful", "rating_high", "rating_low"] | None = None
    rating: int | None = None
    mine: bool = False
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class CreateReviewParameters:
    """Parameters of `createReview`."""

    product_id: str

@dataclass(kw_only=True, slots=True)
class UpdateReviewParameters:
    """Parameters of `updateReview`."""

    product_id: str
    review_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class VoteOnReviewParameters:
    """Parameters of `voteOnReview`."""

    product_id: str
    review_id: str

@dataclass(kw_only=True, slots=True)
class ListReviewsForModerationParameters:
    """Parameters of `listReviewsForModeration`."""

    status: Literal["pending", "published", "rejected"] | None = None
    product_id: str | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class ModerateReviewParameters:
    """Parameters of `moderateReview`."""

    review_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class UpdateCartItemParameters:
    """Parameters of `updateCartItem`."""

    item_id: str

@dataclass(kw_only=True, slots=True)
class RemoveCartItemParameters:
    """Parameters of `removeCartItem`."""

    item_id: str

@dataclass(kw_only=True, slots=True)
class ListPromotionsParameters:
    """Parameters of `listPromotions`."""

    active: bool | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class GetPromotionParameters:
    """Parameters of `getPromotion`."""

    code: str

@dataclass(kw_only=True, slots=True)
class UpdatePromotionParameters:
    """Parameters of `updatePromotion`."""

    code: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class DeletePromotionParameters:
    """Parameters of `deletePromotion`."""

    code: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class CreateOrderParameters:
    """Parameters of `createOrder`."""

    idempotency_key: str | None = None

@dataclass(kw_only=True, slots=True)
class GetOrderParameters:
    """Parameters of `getOrder`."""

    order_id: str
    email: str | None = None

@dataclass(kw_only=True, slots=True)
class GetOrderTrackingParameters:
    """Parameters of `getOrderTracking`."""

    order_id: str
    email: str | None = None

@dataclass(kw_only=True, slots=True)
class CancelOrderParameters:
    """Parameters of `cancelOrder`."""

    order_id: str
    email: str | None = None
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class StreamOrderEventsParameters:
    """Parameters of `streamOrderEvents`."""

    order_id: str
    email: str | None = None
    last_event_id: str | None = None

@dataclass(kw_only=True, slots=True)
class ListMyOrdersParameters:
    """Parameters of `listMyOrders`."""

    status: Literal["pending", "awaiting_payment", "payment_failed", "paid", "processing", "shipped", "delivered", "completed", "cancelled", "refunded"] | None = None
    status_filter: Literal["pending", "awaiting_payment", "payment_failed", "paid", "processing", "shipped", "delivered", "completed", "cancelled", "refunded"] | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class ListStaffOrdersParameters:
    """Parameters of `listStaffOrders`."""

    status: Literal["pending", "awaiting_payment", "payment_failed", "paid", "processing", "shipped", "delivered", "completed", "cancelled", "refunded"] | None = None
    attention: Literal["carrier_silent"] | None = None
    email: str | None = None
    order_number: str | None = None
    start_date: date | None = None
    end_date: date | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class CreatePaymentIntentParameters:
    """Parameters of `createPaymentIntent`."""

    idempotency_key: str | None = None

@dataclass(kw_only=True, slots=True)
class RefundPaymentParameters:
    """Parameters of `refundPayment`."""

    idempotency_key: str

@dataclass(kw_only=True, slots=True)
class ReceiveStripeWebhookParameters:
    """Parameters of `receiveStripeWebhook`."""

    stripe_signature: str

@dataclass(kw_only=True, slots=True)
class ListMyReturnsParameters:
    """Parameters of `listMyReturns`."""

    status: Literal["requested", "approved", "rejected", "received", "refunded"] | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class CreateMyReturnParameters:
    """Parameters of `createMyReturn`."""

    idempotency_key: str | None = None

@dataclass(kw_only=True, slots=True)
class GetMyReturnParameters:
    """Parameters of `getMyReturn`."""

    return_id: str

@dataclass(kw_only=True, slots=True)
class ListReturnsParameters:
    """Parameters of `listReturns`."""

    status: Literal["requested", "approved", "rejected", "received", "refunded"] | None = None
    type: Literal["return", "exchange"] | None = None
    order_id: str | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class CreateReturnParameters:
    """Parameters of `createReturn`."""

    idempotency_key: str | None = None

@dataclass(kw_only=True, slots=True)
class GetReturnParameters:
    """Parameters of `getReturn`."""

    return_id: str

@dataclass(kw_only=True, slots=True)
class ApproveReturnParameters:
    """Parameters of `approveReturn`."""

    return_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class RejectReturnParameters:
    """Parameters of `rejectReturn`."""

    return_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class ReceiveReturnParameters:
    """Parameters of `receiveReturn`."""

    return_id: str
    if_match: str | None = None
    idempotency_key: str | None = None

@dataclass(kw_only=True, slots=True)
class ListMyTicketsParameters:
    """Parameters of `listMyTickets`."""

    status: Literal["pending", "in_progress", "waiting_on_customer", "resolved", "closed"] | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class GetMyTicketParameters:
    """Parameters of `getMyTicket`."""

    ticket_id: str

@dataclass(kw_only=True, slots=True)
class AddMyTicketMessageParameters:
    """Parameters of `addMyTicketMessage`."""

    ticket_id: str

@dataclass(kw_only=True, slots=True)
class ListTicketsParameters:
    """Parameters of `listTickets`."""

    status: Literal["pending", "in_progress", "waiting_on_customer", "resolved", "closed"] | None = None
    type: Literal["return", "exchange", "refund", "order", "delivery", "payment", "product", "account", "other"] | None = None
    priority: Literal["low", "normal", "high", "urgent"] | None = None
    assigned_to: str | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class GetTicketParameters:
    """Parameters of `getTicket`."""

    ticket_id: str

@dataclass(kw_only=True, slots=True)
class UpdateTicketStatusParameters:
    """Parameters of `updateTicketStatus`."""

    ticket_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class AssignTicketParameters:
    """Parameters of `assignTicket`."""

    ticket_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class RespondToTicketParameters:
    """Parameters of `respondToTicket`."""

    ticket_id: str

@dataclass(kw_only=True, slots=True)
class ListShipmentsParameters:
    """Parameters of `listShipments`."""

    status: Literal["label_created", "picked_up", "in_transit", "out_for_delivery", "delivered", "exception", "returned", "cancelled"] | None = None
    carrier: Literal["FedEx", "UPS", "USPS", "DHL"] | None = None
    order_id: str | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class GetShipmentParameters:
    """Parameters of `getShipment`."""

    shipment_id: str

@dataclass(kw_only=True, slots=True)
class UpdateShipmentStatusParameters:
    """Parameters of `updateShipmentStatus`."""

    shipment_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class NotifyShipmentCustomerParameters:
    """Parameters of `notifyShipmentCustomer`."""

    shipment_id: str

@dataclass(kw_only=True, slots=True)
class GetCarrierTrackingParameters:
    """Parameters of `getCarrierTracking`."""

    shipment_id: str

@dataclass(kw_only=True, slots=True)
class ContactCarrierParameters:
    """Parameters of `contactCarrier`."""

    shipment_id: str

@dataclass(kw_only=True, slots=True)
class GetSalesAnalyticsParameters:
    """Parameters of `getSalesAnalytics`."""

    start_date: date | None = None
    end_date: date | None = None
    interval: Literal["day", "week", "month"] | None = None

@dataclass(kw_only=True, slots=True)
class ListTopProductsParameters:
    """Parameters of `listTopProducts`."""

    sort_by: Literal["sales", "revenue", "views"] | None = None
    start_date: date | None = None
    end_date: date | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class GetCategoryAnalyticsParameters:
    """Parameters of `getCategoryAnalytics`."""

    start_date: date | None = None
    end_date: date | None = None

@dataclass(kw_only=True, slots=True)
class GetConversionAnalyticsParameters:
    """Parameters of `getConversionAnalytics`."""

    start_date: date | None = None
    end_date: date | None = None

@dataclass(kw_only=True, slots=True)
class ExportSalesReportParameters:
    """Parameters of `exportSalesReport`."""

    format: Literal["csv", "xlsx"] | None = None
    start_date: date | None = None
    end_date: date | None = None
    interval: Literal["day", "week", "month"] | None = None

@dataclass(kw_only=True, slots=True)
class ListServicesParameters:
    """Parameters of `listServices`."""

    kind: Literal["application", "agent", "infrastructure"] | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class GetServiceLogsParameters:
    """Parameters of `getServiceLogs`."""

    service_name: str
    lines: int = 100

@dataclass(kw_only=True, slots=True)
class RestartServiceParameters:
    """Parameters of `restartService`."""

    service_name: str

@dataclass(kw_only=True, slots=True)
class ListUsersParameters:
    """Parameters of `listUsers`."""

    role: Literal["customer", "staff", "admin"] | None = None
    email: str | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class ChangeUserRoleParameters:
    """Parameters of `changeUserRole`."""

    user_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class DeleteUserParameters:
    """Parameters of `deleteUser`."""

    user_id: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class ListConfigParameters:
    """Parameters of `listConfig`."""

    kind: Literal["setting", "feature_flag"] | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class UpdateConfigParameters:
    """Parameters of `updateConfig`."""

    key: str
    if_match: str | None = None

@dataclass(kw_only=True, slots=True)
class ListAuditLogsParameters:
    """Parameters of `listAuditLogs`."""

    start_date: date | None = None
    end_date: date | None = None
    actor: str | None = None
    action: str | None = None
    entity_type: Literal["user", "address", "payment_method", "product", "category", "banner", "review", "cart", "promotion", "inventory", "order", "payment", "return", "ticket", "shipment", "config", "service", "event"] | None = None
    entity_id: str | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class ListDeadLettersParameters:
    """Parameters of `listDeadLetters`."""

    consumer: str | None = None
    status: Literal["open", "replaying", "replayed"] | None = None
    page: int = 1
    limit: int = 20
    cursor: str | None = None

@dataclass(kw_only=True, slots=True)
class ReplayDeadLetterParameters:
    """Parameters of `replayDeadLetter`."""

    dead_letter_id: str

@dataclass(kw_only=True, slots=True)
class InvokeAgentParameters:
    """Parameters of `invokeAgent`."""

    service_name: Literal["ecommerce-catalog-search", "ecommerce-product-detail-enrichment", "ecommerce-cart-intelligence", "ecommerce-checkout-support", "ecommerce-order-status", "product-management-normalization-classification", "product-management-acp-transformation", "product-management-consistency-validation", "product-management-assortment-optimization", "crm-profile-aggregation", "crm-segmentation-personalization", "crm-campaign-intelligence", "crm-support-assistance", "inventory-health-check", "inventory-jit-replenishment", "inventory-reservation-validation", "inventory-alerts-triggers", "logistics-eta-computation", "logistics-carrier-selection", "logistics-returns-support", "logistics-route-issue-detection", "catalog-search", "product-detail-enrichment", "cart-intelligence", "checkout-support", "order-status", "normalization-classification", "acp-transformation", "consistency-validation", "assortment-optimization", "profile-aggregation", "segmentation-personalization", "campaign-intelligence", "support-assistance", "health-check", "jit-replenishment", "reservation-validation", "alerts-triggers", "eta-computation", "carrier-selection", "returns-support", "route-issue-detection"]
