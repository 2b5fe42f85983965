// Written by `make generate` from `openapi/`. Do not edit.

import type { HubClient } from "./client.js";
import { createQueries, mutation, query } from "./query.js";

/** The hooks of every operation over one client; `api` has the generic ones. */
export function createHooks(client: HubClient) {
  const api = createQueries(client);
  return {
    api,
    /** Log in. */
    useLogin: mutation(api, "post", "/api/auth/login"),
    /** Complete a login with a second factor. */
    useCompleteMfaLogin: mutation(api, "post", "/api/auth/mfa"),
    /** Sign up. */
    useSignup: mutation(api, "post", "/api/auth/signup"),
    /** Log out. */
    useLogout: mutation(api, "post", "/api/auth/logout"),
    /** Refresh the session. */
    useRefreshSession: mutation(api, "post", "/api/auth/refresh"),
    /** Verify an e-mail address. */
    useVerifyEmail: mutation(api, "post", "/api/auth/verify-email"),
    /** Send the verification mail again. */
    useResendVerification: mutation(api, "post", "/api/auth/resend-verification"),
    /** Ask for a password reset. */
    useForgotPassword: mutation(api, "post", "/api/auth/forgot-password"),
    /** Reset the password. */
    useResetPassword: mutation(api, "post", "/api/auth/reset-password"),
    /** Undo a change of the e-mail address. */
    useUndoEmailChange: mutation(api, "post", "/api/auth/undo-email-change"),
    /** Log in with an identity provider. */
    useSocialLogin: mutation(api, "post", "/api/auth/social/{provider}"),
    /** Start a login with an identity provider. */
    useCreateSocialNonce: mutation(api, "post", "/api/auth/social/{provider}/nonce"),
    /** Start a guest session. */
    useCreateGuestSession: mutation(api, "post", "/api/auth/guest"),
    /** Public keys of the access tokens. */
    useGetJwks: query(api, "/.well-known/jwks.json"),
    /** Get the signed-in user. */
    useGetMe: query(api, "/api/users/me"),
    /** Update the signed-in user. */
    useUpdateMe: mutation(api, "put", "/api/users/me"),
    /** Delete the signed-in user. */
    useDeleteMe: mutation(api, "delete", "/api/users/me"),
    /** Prove again who is asking. */
    useReauthenticate: mutation(api, "post", "/api/users/me/reauthentication"),
    /** List the signed-in sessions. */
    useGetSessions: query(api, "/api/users/me/sessions"),
    /** End all other sessions. */
    useRevokeOtherSessions: mutation(api, "delete", "/api/users/me/sessions"),
    /** End one session. */
    useRevokeSession: mutation(api, "delete", "/api/users/me/sessions/{session_id}"),
    /** Get the dashboard. */
    useGetDashboard: query(api, "/api/users/me/dashboard"),
    /** Get the rewards. */
    useGetRewards: query(api, "/api/users/me/rewards"),
    /** Change the password. */
    useChangePassword: mutation(api, "put", "/api/users/me/password"),
    /** Start two-factor authentication. */
    useEnableTwoFactor: mutation(api, "post", "/api/users/me/2fa/enable"),
    /** Switch two-factor authentication on. */
    useVerifyTwoFactor: mutation(api, "post", "/api/users/me/2fa/verify"),
    /** Switch two-factor authentication off. */
    useDisableTwoFactor: mutation(api, "post", "/api/users/me/2fa/disable"),
    /** Make new recovery codes. */
    useRenewRecoveryCodes: mutation(api, "post", "/api/users/me/2fa/recovery-codes"),
    /** Get the preferences. */
    useGetPreferences: query(api, "/api/users/me/preferences"),
    /** Update the preferences. */
    useUpdatePreferences: mutation(api, "put", "/api/users/me/preferences"),
    /** List the address book. */
    useListAddresses: query(api, "/api/users/me/addresses"),
    /** Add an address. */
    useCreateAddress: mutation(api, "post", "/api/users/me/addresses"),
    /** Update an address. */
    useUpdateAddress: mutation(api, "put", "/api/users/me/addresses/{address_id}"),
    /** Delete an address. */
    useDeleteAddress: mutation(api, "delete", "/api/users/me/addresses/{address_id}"),
    /** Make an address the default. */
    useSetDefaultAddress: mutation(api, "put", "/api/users/me/addresses/{address_id}/default"),
    /** Validate an address. */
    useValidateAddress: mutation(api, "post", "/api/addresses/validate"),
    /** List the payment methods. */
    useListPaymentMethods: query(api, "/api/users/me/payment-methods"),
    /** Save a payment method. */
    useAddPaymentMethod: mutation(api, "post", "/api/users/me/payment-methods"),
    /** Delete a payment method. */
    useDeletePaymentMethod: mutation(api, "delete", "/api/users/me/payment-methods/{payment_method_id}"),
    /** List the wishlist. */
    useListWishlist: query(api, "/api/users/me/wishlist"),
    /** Add to the wishlist. */
    useAddToWishlist: mutation(api, "post", "/api/users/me/wishlist"),
    /** Remove from the wishlist. */
    useRemoveFromWishlist: mutation(api, "delete", "/api/users/me/wishlist/{product_id}"),
    /** Add to the wishlist (old path). @deprecated */
    useAddToWishlistAlias: mutation(api, "post", "/api/wishlist"),
    /** Remove from the wishlist (old path). @deprecated */
    useRemoveFromWishlistAlias: mutation(api, "delete", "/api/wishlist/{product_id}"),
    /** List products. */
    useListProducts: query(api, "/api/products"),
    /** List featured products. */
    useListFeaturedProducts: query(api, "/api/products/featured"),
    /** Search products. */
    useSearchProducts: query(api, "/api/products/search"),
    /** Get the filters of a category or search. */
    useGetProductFilters: query(api, "/api/products/filters"),
    /** Get a product. */
    useGetProduct: query(api, "/api/products/{product_id}"),
    /** List related products. */
    useListRelatedProducts: query(api, "/api/products/{product_id}/related"),
    /** List products of every status. */
    useListAdminProducts: query(api, "/api/admin/products"),
    /** Create a product. */
    useCreateProduct: mutation(api, "post", "/api/admin/products"),
    /** Get a product of any status. */
    useGetAdminProduct: query(api, "/api/admin/products/{product_id}"),
    /** Update a product. */
    useUpdateProduct: mutation(api, "put", "/api/admin/products/{product_id}"),
    /** Delete a product. */
    useDeleteProduct: mutation(api, "delete", "/api/admin/products/{product_id}"),
    /** Get the stock of a product. */
    useGetProductInventory: query(api, "/api/products/{product_id}/inventory"),
    /** Adjust the stock of a variant. */
    useAdjustStock: mutation(api, "post", "/api/admin/inventory/{variant_id}/adjustments"),
    /** List categories. */
    useListCategories: query(api, "/api/categories"),
    /** Get a category. */
    useGetCategory: query(api, "/api/categories/{slug}"),
    /** Create a category. */
    useCreateCategory: mutation(api, "post", "/api/admin/categories"),
    /** Update a category. */
    useUpdateCategory: mutation(api, "put", "/api/admin/categories/{slug}"),
    /** Delete a category. */
    useDeleteCategory: mutation(api, "delete", "/api/admin/categories/{slug}"),
    /** List the banners shown now. */
    useListActiveBanners: query(api, "/api/banners/active"),
    /** List all banners. */
    useListBanners: query(api, "/api/admin/banners"),
    /** Create a banner. */
    useCreateBanner: mutation(api, "post", "/api/admin/banners"),
    /** Get a banner. */
    useGetBanner: query(api, "/api/admin/banners/{banner_id}"),
    /** Update a banner. */
    useUpdateBanner: mutation(api, "put", "/api/admin/banners/{banner_id}"),
    /** Delete a banner. */
    useDeleteBanner: mutation(api, "delete", "/api/admin/banners/{banner_id}"),
    /** List the reviews of a product. */
    useListProductReviews: query(api, "/api/products/{product_id}/reviews"),
    /** Review a product. */
    useCreateReview: mutation(api, "post", "/api/products/{product_id}/reviews"),
    /** Change my review. */
    useUpdateReview: mutation(api, "put", "/api/products/{product_id}/reviews/{review_id}"),
    /** Vote on a review. */
    useVoteOnReview: mutation(api, "post", "/api/products/{product_id}/reviews/{review_id}/votes"),
    /** List reviews for moderation. */
    useListReviewsForModeration: query(api, "/api/staff/reviews"),
    /** Publish or reject a review. */
    useModerateReview: mutation(api, "put", "/api/staff/reviews/{review_id}/status"),
    /** Get the cart. */
    useGetCart: query(api, "/api/cart"),
    /** Empty the cart. */
    useClearCart: mutation(api, "delete", "/api/cart"),
    /** Put a product into the cart. */
    useAddCartItem: mutation(api, "post", "/api/cart/items"),
    /** Change the quantity of a line. */
    useUpdateCartItem: mutation(api, "put", "/api/cart/items/{item_id}"),
    /** Take a line out of the cart. */
    useRemoveCartItem: mutation(api, "delete", "/api/cart/items/{item_id}"),
    /** Take over the cart of a guest. */
    useMergeCart: mutation(api, "post", "/api/cart/merge"),
    /** Apply a promo code. */
    useApplyPromoCode: mutation(api, "post", "/api/checkout/promo"),
    /** Remove the promo code. */
    useRemovePromoCode: mutation(api, "delete", "/api/checkout/promo"),
    /** Quote the cart for a destination. */
    useCreateQuote: mutation(api, "post", "/api/checkout/quote"),
    /** List promotions. */
    useListPromotions: query(api, "/api/admin/promotions"),
    /** Create a promotion. */
    useCreatePromotion: mutation(api, "post", "/api/admin/promotions"),
    /** Get a promotion. */
    useGetPromotion: query(api, "/api/admin/promotions/{code}"),
    /** Update a promotion. */
    useUpdatePromotion: mutation(api, "put", "/api/admin/promotions/{code}"),
    /** Delete a promotion. */
    useDeletePromotion: mutation(api, "delete", "/api/admin/promotions/{code}"),
    /** Place an order. */
    useCreateOrder: mutation(api, "post", "/api/orders"),
    /** Get an order. */
    useGetOrder: query(api, "/api/orders/{order_id}"),
    /** Track an order. */
    useGetOrderTracking: query(api, "/api/orders/{order_id}/tracking"),
    /** Cancel an order. */
    useCancelOrder: mutation(api, "post", "/api/orders/{order_id}/cancel"),
    /** List my orders. */
    useListMyOrders: query(api, "/api/users/me/orders"),
    /** List all orders. */
    useListStaffOrders: query(api, "/api/staff/orders"),
    /** Prepare a payment. */
    useCreatePaymentIntent: mutation(api, "post", "/api/payments/create-intent"),
    /** Confirm a payment. */
    useConfirmPayment: mutation(api, "post", "/api/payments/confirm"),
    /** Refund a payment. */
    useRefundPayment: mutation(api, "post", "/api/payments/refund"),
    /** Receive an event of Stripe. */
    useReceiveStripeWebhook: mutation(api, "post", "/api/webhooks/stripe"),
    /** List my returns. */
    useListMyReturns: query(api, "/api/users/me/returns"),
    /** Ask for a return. */
    useCreateMyReturn: mutation(api, "post", "/api/users/me/returns"),
    /** Get my return. */
    useGetMyReturn: query(api, "/api/users/me/returns/{return_id}"),
    /** List returns. */
    useListReturns: query(api, "/api/staff/returns"),
    /** Create a return for a customer. */
    useCreateReturn: mutation(api, "post", "/api/staff/returns"),
    /** Get a return. */
    useGetReturn: query(api, "/api/staff/returns/{return_id}"),
    /** Approve a return. */
    useApproveReturn: mutation(api, "put", "/api/staff/returns/{return_id}/approve"),
    /** Reject a return. */
    useRejectReturn: mutation(api, "put", "/api/staff/returns/{return_id}/reject"),
    /** Receive returned goods. */
    useReceiveReturn: mutation(api, "post", "/api/staff/returns/{return_id}/receive"),
    /** List my tickets. */
    useListMyTickets: query(api, "/api/users/me/tickets"),
    /** Open a ticket. */
    useCreateMyTicket: mutation(api, "post", "/api/users/me/tickets"),
    /** Get my ticket. */
    useGetMyTicket: query(api, "/api/users/me/tickets/{ticket_id}"),
    /** Write to my ticket. */
    useAddMyTicketMessage: mutation(api, "post", "/api/users/me/tickets/{ticket_id}/messages"),
    /** List tickets. */
    useListTickets: query(api, "/api/staff/tickets"),
    /** Get a ticket. */
    useGetTicket: query(api, "/api/staff/tickets/{ticket_id}"),
    /** Change the status of a ticket. */
    useUpdateTicketStatus: mutation(api, "put", "/api/staff/tickets/{ticket_id}/status"),
    /** Assign a ticket. */
    useAssignTicket: mutation(api, "put", "/api/staff/tickets/{ticket_id}/assign"),
    /** Respond to a ticket. */
    useRespondToTicket: mutation(api, "post", "/api/staff/tickets/{ticket_id}/response"),
    /** List shipments. */
    useListShipments: query(api, "/api/staff/shipments"),
    /** Get a shipment. */
    useGetShipment: query(api, "/api/staff/shipments/{shipment_id}"),
    /** Change the status of a shipment. */
    useUpdateShipmentStatus: mutation(api, "put", "/api/staff/shipments/{shipment_id}/status"),
    /** Notify the customer of a shipment. */
    useNotifyShipmentCustomer: mutation(api, "post", "/api/staff/shipments/{shipment_id}/notify-customer"),
    /** Ask the carrier about a shipment. */
    useGetCarrierTracking: query(api, "/api/staff/shipments/{shipment_id}/carrier-tracking"),
    /** Contact the carrier about a shipment. */
    useContactCarrier: mutation(api, "post", "/api/staff/shipments/{shipment_id}/contact-carrier"),
    /** Get sales of a period. */
    useGetSalesAnalytics: query(api, "/api/staff/analytics/sales"),
    /** List top products. */
    useListTopProducts: query(api, "/api/staff/analytics/products/top"),
    /** Get sales by category. */
    useGetCategoryAnalytics: query(api, "/api/staff/analytics/categories"),
    /** Get conversion of a period. */
    useGetConversionAnalytics: query(api, "/api/staff/analytics/conversion"),
    /** Get the health of the system. */
    useGetSystemHealth: query(api, "/api/admin/health"),
    /** List services. */
    useListServices: query(api, "/api/admin/services"),
    /** Get the log of a service. */
    useGetServiceLogs: query(api, "/api/admin/services/{service_name}/logs"),
    /** Restart a service. */
    useRestartService: mutation(api, "post", "/api/admin/services/{service_name}/restart"),
    /** List users. */
    useListUsers: query(api, "/api/admin/users"),
    /** Create a user. */
    useCreateUser: mutation(api, "post", "/api/admin/users"),
    /** Change the role of a user. */
    useChangeUserRole: mutation(api, "put", "/api/admin/users/{user_id}/role"),
    /** Delete a user. */
    useDeleteUser: mutation(api, "delete", "/api/admin/users/{user_id}"),
    /** List settings. */
    useListConfig: query(api, "/api/admin/config"),
    /** Change a setting. */
    useUpdateConfig: mutation(api, "put", "/api/admin/config/{key}"),
    /** List audit entries. */
    useListAuditLogs: query(api, "/api/admin/audit-logs"),
    /** List dead letters. */
    useListDeadLetters: query(api, "/api/admin/dead-letters"),
    /** Replay a dead letter. */
    useReplayDeadLetter: mutation(api, "post", "/api/admin/dead-letters/{dead_letter_id}/replay"),
    /** Ask an AI agent. */
    useInvokeAgent: mutation(api, "post", "/api/agents/{service_name}/invoke"),
    /** Liveness probe. */
    useGetLiveness: query(api, "/healthz"),
    /** Readiness probe. */
    useGetReadiness: query(api, "/readyz"),
  };
}

export type Hooks = ReturnType<typeof createHooks>;
export { createQueries, type HubQueries, type MutationHook, type QueryHook } from "./query.js";
