"""Written by `make generate` from the contract. Do not edit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.contract.call import Call
from handlers.contract.operation import Body, Operation
from handlers.contract.parameters import Parameter, Parameters, boolean, day, instant, integer, json_content, number, text
from handlers.contract.reply import Reply
from handlers.addresses import api as addresses
from handlers.admin import api as admin
from handlers.auth import api as auth
from handlers.banners import api as banners
from handlers.cart import api as cart
from handlers.categories import api as categories
from handlers.checkout import api as checkout
from handlers.inventory import api as inventory
from handlers.orders import api as orders
from handlers.payment_methods import api as payment_methods
from handlers.payments import api as payments
from handlers.products import api as products
from handlers.shipments import api as shipments
from handlers.system import api as system
from handlers.users import api as users
from handlers.platform.access import Access
from handlers.platform.limits import LimitRule
from handlers.platform.responses.kept import CacheRule


_login: Callable[[m.LoginRequest, Call], Awaitable[v.LoginResult | Reply[v.LoginResult]]] = auth.login
login = Operation(
    id="login", method="post", path="/api/auth/login", access=Access("anonymous"),
    handler=_login,
    body=Body(m.LoginRequest),
    limit=LimitRule(per_minute=10, burst=10),
    headers=((b'cache-control', b'no-store'),),
    sets_cookies=True,
)

_complete_mfa_login: Callable[[m.MfaLoginRequest, Call], Awaitable[v.Session | Reply[v.Session]]] = auth.complete_mfa_login
completeMfaLogin = Operation(
    id="completeMfaLogin", method="post", path="/api/auth/mfa", access=Access("anonymous"),
    handler=_complete_mfa_login,
    body=Body(m.MfaLoginRequest),
    limit=LimitRule(per_minute=5, burst=5),
    headers=((b'cache-control', b'no-store'),),
    sets_cookies=True,
)

_signup: Callable[[m.SignupRequest, Call], Awaitable[v.User | Reply[v.User]]] = auth.signup
signup = Operation(
    id="signup", method="post", path="/api/auth/signup", access=Access("anonymous"),
    handler=_signup,
    status=201,
    body=Body(m.SignupRequest),
    limit=LimitRule(per_minute=5, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

_logout: Callable[[m.LogoutRequest | None, Call], Awaitable[None | Reply[None]]] = auth.logout
logout = Operation(
    id="logout", method="post", path="/api/auth/logout", access=Access("anonymous"),
    handler=_logout,
    status=204,
    body=Body(m.LogoutRequest, required=False),
    headers=((b'cache-control', b'no-store'),),
    sets_cookies=True,
)

_refresh_session: Callable[[m.RefreshRequest | None, Call], Awaitable[v.Session | Reply[v.Session]]] = auth.refresh_session
refreshSession = Operation(
    id="refreshSession", method="post", path="/api/auth/refresh", access=Access("anonymous"),
    handler=_refresh_session,
    body=Body(m.RefreshRequest, required=False),
    limit=LimitRule(per_minute=30, burst=30),
    headers=((b'cache-control', b'no-store'),),
    sets_cookies=True,
)

_verify_email: Callable[[m.VerifyEmailRequest, Call], Awaitable[v.VerifiedEmail | Reply[v.VerifiedEmail]]] = auth.verify_email
verifyEmail = Operation(
    id="verifyEmail", method="post", path="/api/auth/verify-email", access=Access("anonymous"),
    handler=_verify_email,
    body=Body(m.VerifyEmailRequest),
    limit=LimitRule(per_minute=10, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

_resend_verification: Callable[[m.ResendVerificationRequest, Call], Awaitable[v.Accepted | Reply[v.Accepted]]] = auth.resend_verification
resendVerification = Operation(
    id="resendVerification", method="post", path="/api/auth/resend-verification", access=Access("anonymous"),
    handler=_resend_verification,
    status=202,
    body=Body(m.ResendVerificationRequest),
    limit=LimitRule(per_minute=3, burst=3),
    headers=((b'cache-control', b'no-store'),),
)

_forgot_password: Callable[[m.ForgotPasswordRequest, Call], Awaitable[v.Accepted | Reply[v.Accepted]]] = auth.forgot_password
forgotPassword = Operation(
    id="forgotPassword", method="post", path="/api/auth/forgot-password", access=Access("anonymous"),
    handler=_forgot_password,
    status=202,
    body=Body(m.ForgotPasswordRequest),
    limit=LimitRule(per_minute=3, burst=3),
    headers=((b'cache-control', b'no-store'),),
)

_reset_password: Callable[[m.ResetPasswordRequest, Call], Awaitable[v.VerifiedEmail | Reply[v.VerifiedEmail]]] = auth.reset_password
resetPassword = Operation(
    id="resetPassword", method="post", path="/api/auth/reset-password", access=Access("anonymous"),
    handler=_reset_password,
    body=Body(m.ResetPasswordRequest),
    limit=LimitRule(per_minute=5, burst=5),
    headers=((b'cache-control', b'no-store'),),
)

_undo_email_change: Callable[[m.UndoEmailChangeRequest, Call], Awaitable[v.VerifiedEmail | Reply[v.VerifiedEmail]]] = auth.undo_email_change
undoEmailChange = Operation(
    id="undoEmailChange", method="post", path="/api/auth/undo-email-change", access=Access("anonymous"),
    handler=_undo_email_change,
    body=Body(m.UndoEmailChangeRequest),
    limit=LimitRule(per_minute=10, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

_social_login: Callable[[p.SocialLoginParameters, m.SocialLoginRequest, Call], Awaitable[v.Session | Reply[v.Session]]] = auth.social_login
socialLogin = Operation(
    id="socialLogin", method="post", path="/api/auth/social/{provider}", access=Access("anonymous"),
    handler=_social_login,
    parameters=Parameters(
        p.SocialLoginParameters,
        path=(Parameter("provider", "provider", text(enum=('google', 'microsoft', 'facebook')), required=True),),
    ),
    body=Body(m.SocialLoginRequest),
    limit=LimitRule(per_minute=10, burst=10),
    headers=((b'cache-control', b'no-store'),),
    sets_cookies=True,
)

_create_social_nonce: Callable[[p.CreateSocialNonceParameters, Call], Awaitable[v.SocialNonce | Reply[v.SocialNonce]]] = auth.create_social_nonce
createSocialNonce = Operation(
    id="createSocialNonce", method="post", path="/api/auth/social/{provider}/nonce", access=Access("anonymous"),
    handler=_create_social_nonce,
    status=201,
    parameters=Parameters(
        p.CreateSocialNonceParameters,
        path=(Parameter("provider", "provider", text(enum=('google', 'microsoft', 'facebook')), required=True),),
    ),
    limit=LimitRule(per_minute=20, burst=20),
    headers=((b'cache-control', b'no-store'),),
)

_create_guest_session: Callable[[Call], Awaitable[v.Session | Reply[v.Session]]] = auth.create_guest_session
createGuestSession = Operation(
    id="createGuestSession", method="post", path="/api/auth/guest", access=Access("anonymous"),
    handler=_create_guest_session,
    status=201,
    limit=LimitRule(per_minute=10, burst=20),
    headers=((b'cache-control', b'no-store'),),
    sets_cookies=True,
)

_get_jwks: Callable[[Call], Awaitable[v.JwkSet | Reply[v.JwkSet]]] = auth.get_jwks
getJwks = Operation(
    id="getJwks", method="get", path="/.well-known/jwks.json", access=Access("anonymous"),
    handler=_get_jwks,
    headers=((b'cache-control', b'public, max-age=3600'),),
)

_get_me: Callable[[Call], Awaitable[v.User | Reply[v.User]]] = users.get_me
getMe = Operation(
    id="getMe", method="get", path="/api/users/me", access=Access("customer", frozenset({"read:profile"})),
    handler=_get_me,
    headers=((b'cache-control', b'no-store'),),
)

_update_me: Callable[[p.UpdateMeParameters, m.UserUpdate, Call], Awaitable[v.User | Reply[v.User]]] = users.update_me
updateMe = Operation(
    id="updateMe", method="put", path="/api/users/me", access=Access("customer", frozenset({"write:profile"})),
    handler=_update_me,
    parameters=Parameters(
        p.UpdateMeParameters,
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)), Parameter("X-Reauthentication", "x_reauthentication", text(min_length=1, max_length=2048)),),
    ),
    body=Body(m.UserUpdate, min_properties=1),
    headers=((b'cache-control', b'no-store'),),
)

_delete_me: Callable[[p.DeleteMeParameters, Call], Awaitable[None | Reply[None]]] = users.delete_me
deleteMe = Operation(
    id="deleteMe", method="delete", path="/api/users/me", access=Access("customer", frozenset({"write:profile"})),
    handler=_delete_me,
    status=204,
    parameters=Parameters(
        p.DeleteMeParameters,
        header=(Parameter("X-Reauthentication", "x_reauthentication", text(min_length=1, max_length=2048)),),
    ),
    limit=LimitRule(per_minute=5, burst=5),
    headers=((b'cache-control', b'no-store'),),
    sets_cookies=True,
)

_reauthenticate: Callable[[m.ReauthenticationRequest, Call], Awaitable[v.Reauthentication | Reply[v.Reauthentication]]] = users.reauthenticate
reauthenticate = Operation(
    id="reauthenticate", method="post", path="/api/users/me/reauthentication", access=Access("customer", frozenset({"write:profile"})),
    handler=_reauthenticate,
    body=Body(m.ReauthenticationRequest),
    limit=LimitRule(per_minute=5, burst=5),
    headers=((b'cache-control', b'no-store'),),
)

_get_sessions: Callable[[Call], Awaitable[v.UserSessionList | Reply[v.UserSessionList]]] = auth.get_sessions
getSessions = Operation(
    id="getSessions", method="get", path="/api/users/me/sessions", access=Access("customer", frozenset({"read:profile"})),
    handler=_get_sessions,
    headers=((b'cache-control', b'no-store'),),
)

_revoke_other_sessions: Callable[[Call], Awaitable[None | Reply[None]]] = auth.revoke_other_sessions
revokeOtherSessions = Operation(
    id="revokeOtherSessions", method="delete", path="/api/users/me/sessions", access=Access("customer", frozenset({"write:profile"})),
    handler=_revoke_other_sessions,
    status=204,
    headers=((b'cache-control', b'no-store'),),
)

_revoke_session: Callable[[p.RevokeSessionParameters, Call], Awaitable[None | Reply[None]]] = auth.revoke_session
revokeSession = Operation(
    id="revokeSession", method="delete", path="/api/users/me/sessions/{session_id}", access=Access("customer", frozenset({"write:profile"})),
    handler=_revoke_session,
    status=204,
    parameters=Parameters(
        p.RevokeSessionParameters,
        path=(Parameter("session_id", "session_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9_-]+$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

getDashboard = Operation(
    id="getDashboard", method="get", path="/api/users/me/dashboard", access=Access("customer", frozenset({"read:profile"})),
    headers=((b'cache-control', b'no-store'),),
)

_get_rewards: Callable[[Call], Awaitable[v.Rewards | Reply[v.Rewards]]] = users.get_rewards
getRewards = Operation(
    id="getRewards", method="get", path="/api/users/me/rewards", access=Access("customer", frozenset({"read:profile"})),
    handler=_get_rewards,
    headers=((b'cache-control', b'no-store'),),
)

_change_password: Callable[[m.PasswordChange, Call], Awaitable[None | Reply[None]]] = users.change_password
changePassword = Operation(
    id="changePassword", method="put", path="/api/users/me/password", access=Access("customer", frozenset({"write:profile"})),
    handler=_change_password,
    status=204,
    body=Body(m.PasswordChange),
    limit=LimitRule(per_minute=5, burst=5),
    headers=((b'cache-control', b'no-store'),),
)

_enable_two_factor: Callable[[m.TwoFactorEnableRequest, Call], Awaitable[v.TwoFactorSetup | Reply[v.TwoFactorSetup]]] = users.enable_two_factor
enableTwoFactor = Operation(
    id="enableTwoFactor", method="post", path="/api/users/me/2fa/enable", access=Access("customer", frozenset({"write:profile"})),
    handler=_enable_two_factor,
    body=Body(m.TwoFactorEnableRequest),
    limit=LimitRule(per_minute=5, burst=5),
    headers=((b'cache-control', b'no-store'),),
)

_verify_two_factor: Callable[[m.TwoFactorVerifyRequest, Call], Awaitable[v.TwoFactorRecoveryCodes | Reply[v.TwoFactorRecoveryCodes]]] = users.verify_two_factor
verifyTwoFactor = Operation(
    id="verifyTwoFactor", method="post", path="/api/users/me/2fa/verify", access=Access("customer", frozenset({"write:profile"})),
    handler=_verify_two_factor,
    body=Body(m.TwoFactorVerifyRequest),
    limit=LimitRule(per_minute=5, burst=5),
    headers=((b'cache-control', b'no-store'),),
)

_disable_two_factor: Callable[[m.TwoFactorDisableRequest, Call], Awaitable[None | Reply[None]]] = users.disable_two_factor
disableTwoFactor = Operation(
    id="disableTwoFactor", method="post", path="/api/users/me/2fa/disable", access=Access("customer", frozenset({"write:profile"})),
    handler=_disable_two_factor,
    status=204,
    body=Body(m.TwoFactorDisableRequest),
    limit=LimitRule(per_minute=5, burst=5),
    headers=((b'cache-control', b'no-store'),),
)

_renew_recovery_codes: Callable[[p.RenewRecoveryCodesParameters, Call], Awaitable[v.TwoFactorRecoveryCodes | Reply[v.TwoFactorRecoveryCodes]]] = users.renew_recovery_codes
renewRecoveryCodes = Operation(
    id="renewRecoveryCodes", method="post", path="/api/users/me/2fa/recovery-codes", access=Access("customer", frozenset({"write:profile"})),
    handler=_renew_recovery_codes,
    parameters=Parameters(
        p.RenewRecoveryCodesParameters,
        header=(Parameter("X-Reauthentication", "x_reauthentication", text(min_length=1, max_length=2048)),),
    ),
    limit=LimitRule(per_minute=5, burst=5),
    headers=((b'cache-control', b'no-store'),),
)

_get_preferences: Callable[[Call], Awaitable[v.Preferences | Reply[v.Preferences]]] = users.get_preferences
getPreferences = Operation(
    id="getPreferences", method="get", path="/api/users/me/preferences", access=Access("customer", frozenset({"read:profile"})),
    handler=_get_preferences,
    headers=((b'cache-control', b'no-store'),),
)

_update_preferences: Callable[[p.UpdatePreferencesParameters, m.PreferencesUpdate, Call], Awaitable[v.Preferences | Reply[v.Preferences]]] = users.update_preferences
updatePreferences = Operation(
    id="updatePreferences", method="put", path="/api/users/me/preferences", access=Access("customer", frozenset({"write:profile"})),
    handler=_update_preferences,
    parameters=Parameters(
        p.UpdatePreferencesParameters,
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.PreferencesUpdate, min_properties=1),
    headers=((b'cache-control', b'no-store'),),
)

_list_addresses: Callable[[p.ListAddressesParameters, Call], Awaitable[v.AddressBookEntryPage | Reply[v.AddressBookEntryPage]]] = addresses.list_addresses
listAddresses = Operation(
    id="listAddresses", method="get", path="/api/users/me/addresses", access=Access("customer", frozenset({"read:profile"})),
    handler=_list_addresses,
    parameters=Parameters(
        p.ListAddressesParameters,
        query=(Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_create_address: Callable[[m.AddressCreate, Call], Awaitable[v.AddressBookEntry | Reply[v.AddressBookEntry]]] = addresses.create_address
createAddress = Operation(
    id="createAddress", method="post", path="/api/users/me/addresses", access=Access("customer", frozenset({"write:profile"})),
    handler=_create_address,
    status=201,
    body=Body(m.AddressCreate),
    headers=((b'cache-control', b'no-store'),),
)

_update_address: Callable[[p.UpdateAddressParameters, m.AddressUpdate, Call], Awaitable[v.AddressBookEntry | Reply[v.AddressBookEntry]]] = addresses.update_address
updateAddress = Operation(
    id="updateAddress", method="put", path="/api/users/me/addresses/{address_id}", access=Access("customer", frozenset({"write:profile"})),
    handler=_update_address,
    parameters=Parameters(
        p.UpdateAddressParameters,
        path=(Parameter("address_id", "address_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.AddressUpdate, min_properties=1),
    headers=((b'cache-control', b'no-store'),),
)

_delete_address: Callable[[p.DeleteAddressParameters, Call], Awaitable[None | Reply[None]]] = addresses.delete_address
deleteAddress = Operation(
    id="deleteAddress", method="delete", path="/api/users/me/addresses/{address_id}", access=Access("customer", frozenset({"write:profile"})),
    handler=_delete_address,
    status=204,
    parameters=Parameters(
        p.DeleteAddressParameters,
        path=(Parameter("address_id", "address_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_set_default_address: Callable[[p.SetDefaultAddressParameters, Call], Awaitable[v.AddressBookEntry | Reply[v.AddressBookEntry]]] = addresses.set_default_address
setDefaultAddress = Operation(
    id="setDefaultAddress", method="put", path="/api/users/me/addresses/{address_id}/default", access=Access("customer", frozenset({"write:profile"})),
    handler=_set_default_address,
    parameters=Parameters(
        p.SetDefaultAddressParameters,
        path=(Parameter("address_id", "address_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_validate_address: Callable[[m.AddressInput, Call], Awaitable[v.AddressValidation | Reply[v.AddressValidation]]] = addresses.validate_address
validateAddress = Operation(
    id="validateAddress", method="post", path="/api/addresses/validate", access=Access("anonymous", frozenset({"write:orders"})),
    handler=_validate_address,
    body=Body(m.AddressInput),
    headers=((b'cache-control', b'no-store'),),
)

_list_payment_methods: Callable[[p.ListPaymentMethodsParameters, Call], Awaitable[v.PaymentMethodPage | Reply[v.PaymentMethodPage]]] = payment_methods.list_payment_methods
listPaymentMethods = Operation(
    id="listPaymentMethods", method="get", path="/api/users/me/payment-methods", access=Access("customer", frozenset({"read:profile"})),
    handler=_list_payment_methods,
    parameters=Parameters(
        p.ListPaymentMethodsParameters,
        query=(Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_add_payment_method: Callable[[m.PaymentMethodCreate, Call], Awaitable[v.PaymentMethod | Reply[v.PaymentMethod]]] = payment_methods.add_payment_method
addPaymentMethod = Operation(
    id="addPaymentMethod", method="post", path="/api/users/me/payment-methods", access=Access("customer", frozenset({"write:profile"})),
    handler=_add_payment_method,
    status=201,
    body=Body(m.PaymentMethodCreate),
    limit=LimitRule(per_minute=10, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

_delete_payment_method: Callable[[p.DeletePaymentMethodParameters, Call], Awaitable[None | Reply[None]]] = payment_methods.delete_payment_method
deletePaymentMethod = Operation(
    id="deletePaymentMethod", method="delete", path="/api/users/me/payment-methods/{payment_method_id}", access=Access("customer", frozenset({"write:profile"})),
    handler=_delete_payment_method,
    status=204,
    parameters=Parameters(
        p.DeletePaymentMethodParameters,
        path=(Parameter("payment_method_id", "payment_method_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

listWishlist = Operation(
    id="listWishlist", method="get", path="/api/users/me/wishlist", access=Access("customer", frozenset({"read:profile"})),
    parameters=Parameters(
        p.ListWishlistParameters,
        query=(Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

addToWishlist = Operation(
    id="addToWishlist", method="post", path="/api/users/me/wishlist", access=Access("customer", frozenset({"write:profile"})),
    status=201,
    body=Body(m.WishlistItemCreate),
    headers=((b'cache-control', b'no-store'),),
)

removeFromWishlist = Operation(
    id="removeFromWishlist", method="delete", path="/api/users/me/wishlist/{product_id}", access=Access("customer", frozenset({"write:profile"})),
    status=204,
    parameters=Parameters(
        p.RemoveFromWishlistParameters,
        path=(Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

addToWishlistAlias = Operation(
    id="addToWishlistAlias", method="post", path="/api/wishlist", access=Access("customer", frozenset({"write:profile"})),
    status=201,
    body=Body(m.WishlistItemCreate),
    headers=((b'cache-control', b'no-store'), (b'deprecation', b'@1769731200'), (b'sunset', b'Wed, 30 Jun 2027 00:00:00 GMT')),
)

removeFromWishlistAlias = Operation(
    id="removeFromWishlistAlias", method="delete", path="/api/wishlist/{product_id}", access=Access("customer", frozenset({"write:profile"})),
    status=204,
    parameters=Parameters(
        p.RemoveFromWishlistAliasParameters,
        path=(Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'), (b'deprecation', b'@1769731200'), (b'sunset', b'Wed, 30 Jun 2027 00:00:00 GMT')),
)

_list_products: Callable[[p.ListProductsParameters, Call], Awaitable[v.ProductPage | Reply[v.ProductPage]]] = products.list_products
listProducts = Operation(
    id="listProducts", method="get", path="/api/products", access=Access("anonymous"),
    handler=_list_products,
    parameters=Parameters(
        p.ListProductsParameters,
        query=(Parameter("category", "category", text(min_length=1, max_length=100, pattern='^[a-z0-9]+(-[a-z0-9]+)*$')), Parameter("filters", "filters", json_content(m.ProductFilters)), Parameter("sort", "sort", text(enum=('relevance', 'price', 'name', 'created_at', 'rating', 'popularity'))), Parameter("order", "order", text(enum=('asc', 'desc'))), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'public, max-age=30'),),
    cache=CacheRule(seconds=30, of=('categories', 'products'), shared=False),
)

_list_featured_products: Callable[[p.ListFeaturedProductsParameters, Call], Awaitable[v.ProductPage | Reply[v.ProductPage]]] = products.list_featured_products
listFeaturedProducts = Operation(
    id="listFeaturedProducts", method="get", path="/api/products/featured", access=Access("anonymous"),
    handler=_list_featured_products,
    parameters=Parameters(
        p.ListFeaturedProductsParameters,
        query=(Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("offset", "offset", integer(minimum=0, maximum=10000)), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'public, max-age=60'),),
    cache=CacheRule(seconds=300, of=('products',)),
)

_search_products: Callable[[p.SearchProductsParameters, Call], Awaitable[v.ProductSearchPage | Reply[v.ProductSearchPage]]] = products.search_products
searchProducts = Operation(
    id="searchProducts", method="get", path="/api/products/search", access=Access("anonymous"),
    handler=_search_products,
    parameters=Parameters(
        p.SearchProductsParameters,
        query=(Parameter("q", "q", text(min_length=1, max_length=200), required=True), Parameter("category", "category", text(min_length=1, max_length=100, pattern='^[a-z0-9]+(-[a-z0-9]+)*$')), Parameter("filters", "filters", json_content(m.ProductFilters)), Parameter("sort", "sort", text(enum=('relevance', 'price', 'name', 'created_at', 'rating', 'popularity'))), Parameter("order", "order", text(enum=('asc', 'desc'))), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'public, max-age=30'),),
    cache=CacheRule(seconds=30, of=('categories', 'products'), shared=False),
)

_get_product_filters: Callable[[p.GetProductFiltersParameters, Call], Awaitable[v.ProductFacets | Reply[v.ProductFacets]]] = products.get_product_filters
getProductFilters = Operation(
    id="getProductFilters", method="get", path="/api/products/filters", access=Access("anonymous"),
    handler=_get_product_filters,
    parameters=Parameters(
        p.GetProductFiltersParameters,
        query=(Parameter("category", "category", text(min_length=1, max_length=100, pattern='^[a-z0-9]+(-[a-z0-9]+)*$')), Parameter("q", "q", text(min_length=1, max_length=200)), Parameter("filters", "filters", json_content(m.ProductFilters)),),
    ),
    headers=((b'cache-control', b'public, max-age=300'),),
    cache=CacheRule(seconds=300, of=('categories', 'products')),
)

_get_product: Callable[[p.GetProductParameters, Call], Awaitable[v.Product | Reply[v.Product]]] = products.get_product
getProduct = Operation(
    id="getProduct", method="get", path="/api/products/{product_id}", access=Access("anonymous"),
    handler=_get_product,
    parameters=Parameters(
        p.GetProductParameters,
        path=(Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'public, max-age=60'),),
)

_list_related_products: Callable[[p.ListRelatedProductsParameters, Call], Awaitable[v.RelatedProducts | Reply[v.RelatedProducts]]] = products.list_related_products
listRelatedProducts = Operation(
    id="listRelatedProducts", method="get", path="/api/products/{product_id}/related", access=Access("anonymous"),
    handler=_list_related_products,
    parameters=Parameters(
        p.ListRelatedProductsParameters,
        path=(Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        query=(Parameter("limit", "limit", integer(minimum=1, maximum=50)),),
    ),
    headers=((b'cache-control', b'public, max-age=300'),),
    cache=CacheRule(seconds=300, of=('categories', 'products')),
)

_list_admin_products: Callable[[p.ListAdminProductsParameters, Call], Awaitable[v.ProductPage | Reply[v.ProductPage]]] = products.list_admin_products
listAdminProducts = Operation(
    id="listAdminProducts", method="get", path="/api/admin/products", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_list_admin_products,
    parameters=Parameters(
        p.ListAdminProductsParameters,
        query=(Parameter("status", "status", text(enum=('draft', 'active', 'archived'))), Parameter("q", "q", text(min_length=1, max_length=200)), Parameter("category", "category", text(min_length=1, max_length=100, pattern='^[a-z0-9]+(-[a-z0-9]+)*$')), Parameter("sort", "sort", text(enum=('relevance', 'price', 'name', 'created_at', 'rating', 'popularity'))), Parameter("order", "order", text(enum=('asc', 'desc'))), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_create_product: Callable[[m.ProductCreate, Call], Awaitable[v.Product | Reply[v.Product]]] = products.create_product
createProduct = Operation(
    id="createProduct", method="post", path="/api/admin/products", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_create_product,
    status=201,
    body=Body(m.ProductCreate, max_bytes=8684544),
    headers=((b'cache-control', b'no-store'),),
)

_get_admin_product: Callable[[p.GetAdminProductParameters, Call], Awaitable[v.AdminProduct | Reply[v.AdminProduct]]] = products.get_admin_product
getAdminProduct = Operation(
    id="getAdminProduct", method="get", path="/api/admin/products/{product_id}", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_get_admin_product,
    parameters=Parameters(
        p.GetAdminProductParameters,
        path=(Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_update_product: Callable[[p.UpdateProductParameters, m.ProductUpdate, Call], Awaitable[v.Product | Reply[v.Product]]] = products.update_product
updateProduct = Operation(
    id="updateProduct", method="put", path="/api/admin/products/{product_id}", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_update_product,
    parameters=Parameters(
        p.UpdateProductParameters,
        path=(Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.ProductUpdate, min_properties=1, max_bytes=8721408),
    headers=((b'cache-control', b'no-store'),),
)

_delete_product: Callable[[p.DeleteProductParameters, Call], Awaitable[None | Reply[None]]] = products.delete_product
deleteProduct = Operation(
    id="deleteProduct", method="delete", path="/api/admin/products/{product_id}", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_delete_product,
    status=204,
    parameters=Parameters(
        p.DeleteProductParameters,
        path=(Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_get_product_inventory: Callable[[p.GetProductInventoryParameters, Call], Awaitable[v.ProductInventory | Reply[v.ProductInventory]]] = inventory.get_product_inventory
getProductInventory = Operation(
    id="getProductInventory", method="get", path="/api/products/{product_id}/inventory", access=Access("anonymous"),
    handler=_get_product_inventory,
    parameters=Parameters(
        p.GetProductInventoryParameters,
        path=(Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'public, max-age=5'),),
)

_adjust_stock: Callable[[p.AdjustStockParameters, m.StockAdjustmentCreate, Call], Awaitable[v.StockAdjustment | Reply[v.StockAdjustment]]] = inventory.adjust_stock
adjustStock = Operation(
    id="adjustStock", method="post", path="/api/admin/inventory/{variant_id}/adjustments", access=Access("admin", frozenset({"manage:inventory"})),
    handler=_adjust_stock,
    status=201,
    parameters=Parameters(
        p.AdjustStockParameters,
        path=(Parameter("variant_id", "variant_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("Idempotency-Key", "idempotency_key", text(min_length=8, max_length=128, pattern='^[A-Za-z0-9_-]+$')),),
    ),
    body=Body(m.StockAdjustmentCreate),
    headers=((b'cache-control', b'no-store'),),
    idempotent=True,
)

_list_categories: Callable[[p.ListCategoriesParameters, Call], Awaitable[v.CategoryPage | Reply[v.CategoryPage]]] = categories.list_categories
listCategories = Operation(
    id="listCategories", method="get", path="/api/categories", access=Access("anonymous"),
    handler=_list_categories,
    parameters=Parameters(
        p.ListCategoriesParameters,
        query=(Parameter("parent", "parent", text(min_length=1, max_length=100, pattern='^[a-z0-9]+(-[a-z0-9]+)*$')), Parameter("top_level", "top_level", boolean()), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("offset", "offset", integer(minimum=0, maximum=10000)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'public, max-age=300'),),
    cache=CacheRule(seconds=300, of=('categories', 'products')),
)

_get_category: Callable[[p.GetCategoryParameters, Call], Awaitable[v.CategoryDetail | Reply[v.CategoryDetail]]] = categories.get_category
getCategory = Operation(
    id="getCategory", method="get", path="/api/categories/{slug}", access=Access("anonymous"),
    handler=_get_category,
    parameters=Parameters(
        p.GetCategoryParameters,
        path=(Parameter("slug", "slug", text(min_length=1, max_length=100, pattern='^[a-z0-9]+(-[a-z0-9]+)*$'), required=True),),
    ),
    headers=((b'cache-control', b'public, max-age=300'),),
    cache=CacheRule(seconds=300, of=('categories', 'products')),
)

_create_category: Callable[[m.CategoryCreate, Call], Awaitable[v.Category | Reply[v.Category]]] = categories.create_category
createCategory = Operation(
    id="createCategory", method="post", path="/api/admin/categories", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_create_category,
    status=201,
    body=Body(m.CategoryCreate),
    headers=((b'cache-control', b'no-store'),),
)

_update_category: Callable[[p.UpdateCategoryParameters, m.CategoryUpdate, Call], Awaitable[v.Category | Reply[v.Category]]] = categories.update_category
updateCategory = Operation(
    id="updateCategory", method="put", path="/api/admin/categories/{slug}", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_update_category,
    parameters=Parameters(
        p.UpdateCategoryParameters,
        path=(Parameter("slug", "slug", text(min_length=1, max_length=100, pattern='^[a-z0-9]+(-[a-z0-9]+)*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.CategoryUpdate, min_properties=1),
    headers=((b'cache-control', b'no-store'),),
)

_delete_category: Callable[[p.DeleteCategoryParameters, Call], Awaitable[None | Reply[None]]] = categories.delete_category
deleteCategory = Operation(
    id="deleteCategory", method="delete", path="/api/admin/categories/{slug}", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_delete_category,
    status=204,
    parameters=Parameters(
        p.DeleteCategoryParameters,
        path=(Parameter("slug", "slug", text(min_length=1, max_length=100, pattern='^[a-z0-9]+(-[a-z0-9]+)*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_list_active_banners: Callable[[p.ListActiveBannersParameters, Call], Awaitable[v.BannerPage | Reply[v.BannerPage]]] = banners.list_active_banners
listActiveBanners = Operation(
    id="listActiveBanners", method="get", path="/api/banners/active", access=Access("anonymous"),
    handler=_list_active_banners,
    parameters=Parameters(
        p.ListActiveBannersParameters,
        query=(Parameter("placement", "placement", text(enum=('hero', 'sidebar', 'footer'))), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'public, max-age=60'),),
    cache=CacheRule(seconds=60, of=('banners',)),
)

_list_banners: Callable[[p.ListBannersParameters, Call], Awaitable[v.BannerPage | Reply[v.BannerPage]]] = banners.list_banners
listBanners = Operation(
    id="listBanners", method="get", path="/api/admin/banners", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_list_banners,
    parameters=Parameters(
        p.ListBannersParameters,
        query=(Parameter("placement", "placement", text(enum=('hero', 'sidebar', 'footer'))), Parameter("status", "status", text(enum=('draft', 'active', 'archived'))), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_create_banner: Callable[[m.BannerCreate, Call], Awaitable[v.Banner | Reply[v.Banner]]] = banners.create_banner
createBanner = Operation(
    id="createBanner", method="post", path="/api/admin/banners", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_create_banner,
    status=201,
    body=Body(m.BannerCreate),
    headers=((b'cache-control', b'no-store'),),
)

_get_banner: Callable[[p.GetBannerParameters, Call], Awaitable[v.Banner | Reply[v.Banner]]] = banners.get_banner
getBanner = Operation(
    id="getBanner", method="get", path="/api/admin/banners/{banner_id}", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_get_banner,
    parameters=Parameters(
        p.GetBannerParameters,
        path=(Parameter("banner_id", "banner_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_update_banner: Callable[[p.UpdateBannerParameters, m.BannerUpdate, Call], Awaitable[v.Banner | Reply[v.Banner]]] = banners.update_banner
updateBanner = Operation(
    id="updateBanner", method="put", path="/api/admin/banners/{banner_id}", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_update_banner,
    parameters=Parameters(
        p.UpdateBannerParameters,
        path=(Parameter("banner_id", "banner_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.BannerUpdate, min_properties=1),
    headers=((b'cache-control', b'no-store'),),
)

_delete_banner: Callable[[p.DeleteBannerParameters, Call], Awaitable[None | Reply[None]]] = banners.delete_banner
deleteBanner = Operation(
    id="deleteBanner", method="delete", path="/api/admin/banners/{banner_id}", access=Access("admin", frozenset({"manage:catalog"})),
    handler=_delete_banner,
    status=204,
    parameters=Parameters(
        p.DeleteBannerParameters,
        path=(Parameter("banner_id", "banner_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

listProductReviews = Operation(
    id="listProductReviews", method="get", path="/api/products/{product_id}/reviews", access=Access("anonymous"),
    parameters=Parameters(
        p.ListProductReviewsParameters,
        path=(Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        query=(Parameter("sort", "sort", text(enum=('recent', 'helpful', 'rating_high', 'rating_low'))), Parameter("rating", "rating", integer(minimum=1, maximum=5)), Parameter("mine", "mine", boolean()), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

createReview = Operation(
    id="createReview", method="post", path="/api/products/{product_id}/reviews", access=Access("customer", frozenset({"write:reviews"})),
    status=201,
    parameters=Parameters(
        p.CreateReviewParameters,
        path=(Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    body=Body(m.ReviewCreate, max_bytes=93184),
    limit=LimitRule(per_minute=10, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

updateReview = Operation(
    id="updateReview", method="put", path="/api/products/{product_id}/reviews/{review_id}", access=Access("customer", frozenset({"write:reviews"})),
    parameters=Parameters(
        p.UpdateReviewParameters,
        path=(Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True), Parameter("review_id", "review_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.ReviewUpdate, min_properties=1, max_bytes=93184),
    limit=LimitRule(per_minute=10, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

voteOnReview = Operation(
    id="voteOnReview", method="post", path="/api/products/{product_id}/reviews/{review_id}/votes", access=Access("customer", frozenset({"write:reviews"})),
    parameters=Parameters(
        p.VoteOnReviewParameters,
        path=(Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True), Parameter("review_id", "review_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    body=Body(m.ReviewVote),
    headers=((b'cache-control', b'no-store'),),
)

listReviewsForModeration = Operation(
    id="listReviewsForModeration", method="get", path="/api/staff/reviews", access=Access("staff", frozenset({"manage:reviews"})),
    parameters=Parameters(
        p.ListReviewsForModerationParameters,
        query=(Parameter("status", "status", text(enum=('pending', 'published', 'rejected'))), Parameter("product_id", "product_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$')), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

moderateReview = Operation(
    id="moderateReview", method="put", path="/api/staff/reviews/{review_id}/status", access=Access("staff", frozenset({"manage:reviews"})),
    parameters=Parameters(
        p.ModerateReviewParameters,
        path=(Parameter("review_id", "review_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.ReviewModeration, min_properties=1),
    headers=((b'cache-control', b'no-store'),),
)

_get_cart: Callable[[Call], Awaitable[v.Cart | Reply[v.Cart]]] = cart.get_cart
getCart = Operation(
    id="getCart", method="get", path="/api/cart", access=Access("anonymous"),
    handler=_get_cart,
    headers=((b'cache-control', b'no-store'),),
)

_clear_cart: Callable[[Call], Awaitable[None | Reply[None]]] = cart.clear_cart
clearCart = Operation(
    id="clearCart", method="delete", path="/api/cart", access=Access("anonymous"),
    handler=_clear_cart,
    status=204,
    headers=((b'cache-control', b'no-store'),),
)

_add_cart_item: Callable[[m.CartItemAdd, Call], Awaitable[v.Cart | Reply[v.Cart]]] = cart.add_cart_item
addCartItem = Operation(
    id="addCartItem", method="post", path="/api/cart/items", access=Access("anonymous"),
    handler=_add_cart_item,
    body=Body(m.CartItemAdd),
    headers=((b'cache-control', b'no-store'),),
    sets_cookies=True,
)

_update_cart_item: Callable[[p.UpdateCartItemParameters, m.CartItemUpdate, Call], Awaitable[v.Cart | Reply[v.Cart]]] = cart.update_cart_item
updateCartItem = Operation(
    id="updateCartItem", method="put", path="/api/cart/items/{item_id}", access=Access("anonymous"),
    handler=_update_cart_item,
    parameters=Parameters(
        p.UpdateCartItemParameters,
        path=(Parameter("item_id", "item_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    body=Body(m.CartItemUpdate, min_properties=1),
    headers=((b'cache-control', b'no-store'),),
)

_remove_cart_item: Callable[[p.RemoveCartItemParameters, Call], Awaitable[v.Cart | Reply[v.Cart]]] = cart.remove_cart_item
removeCartItem = Operation(
    id="removeCartItem", method="delete", path="/api/cart/items/{item_id}", access=Access("anonymous"),
    handler=_remove_cart_item,
    parameters=Parameters(
        p.RemoveCartItemParameters,
        path=(Parameter("item_id", "item_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_merge_cart: Callable[[m.CartMerge, Call], Awaitable[v.Cart | Reply[v.Cart]]] = cart.merge_cart
mergeCart = Operation(
    id="mergeCart", method="post", path="/api/cart/merge", access=Access("customer", frozenset({"write:cart"})),
    handler=_merge_cart,
    body=Body(m.CartMerge),
    headers=((b'cache-control', b'no-store'),),
)

_apply_promo_code: Callable[[m.PromoCodeApply, Call], Awaitable[v.PromoResult | Reply[v.PromoResult]]] = checkout.apply_promo_code
applyPromoCode = Operation(
    id="applyPromoCode", method="post", path="/api/checkout/promo", access=Access("anonymous"),
    handler=_apply_promo_code,
    body=Body(m.PromoCodeApply),
    limit=LimitRule(per_minute=10, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

_remove_promo_code: Callable[[Call], Awaitable[v.Cart | Reply[v.Cart]]] = checkout.remove_promo_code
removePromoCode = Operation(
    id="removePromoCode", method="delete", path="/api/checkout/promo", access=Access("anonymous"),
    handler=_remove_promo_code,
    headers=((b'cache-control', b'no-store'),),
)

_create_quote: Callable[[m.QuoteCreate, Call], Awaitable[v.Quote | Reply[v.Quote]]] = checkout.create_quote
createQuote = Operation(
    id="createQuote", method="post", path="/api/checkout/quote", access=Access("anonymous"),
    handler=_create_quote,
    body=Body(m.QuoteCreate),
    headers=((b'cache-control', b'no-store'),),
)

_list_promotions: Callable[[p.ListPromotionsParameters, Call], Awaitable[v.PromotionPage | Reply[v.PromotionPage]]] = checkout.list_promotions
listPromotions = Operation(
    id="listPromotions", method="get", path="/api/admin/promotions", access=Access("admin", frozenset({"manage:promotions"})),
    handler=_list_promotions,
    parameters=Parameters(
        p.ListPromotionsParameters,
        query=(Parameter("active", "active", boolean()), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_create_promotion: Callable[[m.PromotionCreate, Call], Awaitable[v.Promotion | Reply[v.Promotion]]] = checkout.create_promotion
createPromotion = Operation(
    id="createPromotion", method="post", path="/api/admin/promotions", access=Access("admin", frozenset({"manage:promotions"})),
    handler=_create_promotion,
    status=201,
    body=Body(m.PromotionCreate),
    headers=((b'cache-control', b'no-store'),),
)

_get_promotion: Callable[[p.GetPromotionParameters, Call], Awaitable[v.Promotion | Reply[v.Promotion]]] = checkout.get_promotion
getPromotion = Operation(
    id="getPromotion", method="get", path="/api/admin/promotions/{code}", access=Access("admin", frozenset({"manage:promotions"})),
    handler=_get_promotion,
    parameters=Parameters(
        p.GetPromotionParameters,
        path=(Parameter("code", "code", text(min_length=2, max_length=40, pattern='^[A-Za-z0-9][A-Za-z0-9_-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_update_promotion: Callable[[p.UpdatePromotionParameters, m.PromotionUpdate, Call], Awaitable[v.Promotion | Reply[v.Promotion]]] = checkout.update_promotion
updatePromotion = Operation(
    id="updatePromotion", method="put", path="/api/admin/promotions/{code}", access=Access("admin", frozenset({"manage:promotions"})),
    handler=_update_promotion,
    parameters=Parameters(
        p.UpdatePromotionParameters,
        path=(Parameter("code", "code", text(min_length=2, max_length=40, pattern='^[A-Za-z0-9][A-Za-z0-9_-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.PromotionUpdate, min_properties=1),
    headers=((b'cache-control', b'no-store'),),
)

_delete_promotion: Callable[[p.DeletePromotionParameters, Call], Awaitable[None | Reply[None]]] = checkout.delete_promotion
deletePromotion = Operation(
    id="deletePromotion", method="delete", path="/api/admin/promotions/{code}", access=Access("admin", frozenset({"manage:promotions"})),
    handler=_delete_promotion,
    status=204,
    parameters=Parameters(
        p.DeletePromotionParameters,
        path=(Parameter("code", "code", text(min_length=2, max_length=40, pattern='^[A-Za-z0-9][A-Za-z0-9_-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_create_order: Callable[[p.CreateOrderParameters, m.OrderCreate, Call], Awaitable[v.Order | Reply[v.Order]]] = orders.create_order
createOrder = Operation(
    id="createOrder", method="post", path="/api/orders", access=Access("anonymous", frozenset({"write:orders"})),
    handler=_create_order,
    status=201,
    parameters=Parameters(
        p.CreateOrderParameters,
        header=(Parameter("Idempotency-Key", "idempotency_key", text(min_length=8, max_length=128, pattern='^[A-Za-z0-9_-]+$')),),
    ),
    body=Body(m.OrderCreate),
    limit=LimitRule(per_minute=10, burst=10),
    headers=((b'cache-control', b'no-store'),),
    idempotent=True,
    priority=True,
)

_get_order: Callable[[p.GetOrderParameters, Call], Awaitable[v.OrderLookup | Reply[v.OrderLookup]]] = orders.get_order
getOrder = Operation(
    id="getOrder", method="get", path="/api/orders/{order_id}", access=Access("anonymous"),
    handler=_get_order,
    parameters=Parameters(
        p.GetOrderParameters,
        path=(Parameter("order_id", "order_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        query=(Parameter("email", "email", text(min_length=3, max_length=254, format_name='email')),),
    ),
    limit=LimitRule(per_minute=30, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

_get_order_tracking: Callable[[p.GetOrderTrackingParameters, Call], Awaitable[v.OrderTracking | Reply[v.OrderTracking]]] = orders.get_order_tracking
getOrderTracking = Operation(
    id="getOrderTracking", method="get", path="/api/orders/{order_id}/tracking", access=Access("anonymous"),
    handler=_get_order_tracking,
    parameters=Parameters(
        p.GetOrderTrackingParameters,
        path=(Parameter("order_id", "order_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        query=(Parameter("email", "email", text(min_length=3, max_length=254, format_name='email')),),
    ),
    limit=LimitRule(per_minute=30, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

_cancel_order: Callable[[p.CancelOrderParameters, m.OrderCancel | None, Call], Awaitable[v.Order | Reply[v.Order]]] = orders.cancel_order
cancelOrder = Operation(
    id="cancelOrder", method="post", path="/api/orders/{order_id}/cancel", access=Access("anonymous"),
    handler=_cancel_order,
    parameters=Parameters(
        p.CancelOrderParameters,
        path=(Parameter("order_id", "order_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        query=(Parameter("email", "email", text(min_length=3, max_length=254, format_name='email')),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.OrderCancel, required=False),
    limit=LimitRule(per_minute=10, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

_stream_order_events: Callable[[p.StreamOrderEventsParameters, Call], Awaitable[Any | Reply[Any]]] = orders.stream_order_events
streamOrderEvents = Operation(
    id="streamOrderEvents", method="get", path="/api/orders/{order_id}/events", access=Access("anonymous"),
    handler=_stream_order_events,
    parameters=Parameters(
        p.StreamOrderEventsParameters,
        path=(Parameter("order_id", "order_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        query=(Parameter("email", "email", text(min_length=3, max_length=254, format_name='email')),),
        header=(Parameter("Last-Event-ID", "last_event_id", text(min_length=1, max_length=128)),),
    ),
    limit=LimitRule(per_minute=30, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

_list_my_orders: Callable[[p.ListMyOrdersParameters, Call], Awaitable[v.OrderSummaryPage | Reply[v.OrderSummaryPage]]] = orders.list_my_orders
listMyOrders = Operation(
    id="listMyOrders", method="get", path="/api/users/me/orders", access=Access("customer"),
    handler=_list_my_orders,
    parameters=Parameters(
        p.ListMyOrdersParameters,
        query=(Parameter("status", "status", text(enum=('pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded'))), Parameter("status_filter", "status_filter", text(enum=('pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded'))), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_list_staff_orders: Callable[[p.ListStaffOrdersParameters, Call], Awaitable[v.StaffOrderPage | Reply[v.StaffOrderPage]]] = orders.list_staff_orders
listStaffOrders = Operation(
    id="listStaffOrders", method="get", path="/api/staff/orders", access=Access("staff", frozenset({"read:orders"})),
    handler=_list_staff_orders,
    parameters=Parameters(
        p.ListStaffOrdersParameters,
        query=(Parameter("status", "status", text(enum=('pending', 'awaiting_payment', 'payment_failed', 'paid', 'processing', 'shipped', 'delivered', 'completed', 'cancelled', 'refunded'))), Parameter("attention", "attention", text(enum=('carrier_silent',))), Parameter("email", "email", text(min_length=3, max_length=254, format_name='email')), Parameter("order_number", "order_number", text(min_length=1, max_length=32, pattern='^HPH-[0-9]{4}-[0-9]{6,}$')), Parameter("start_date", "start_date", day()), Parameter("end_date", "end_date", day()), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_create_payment_intent: Callable[[p.CreatePaymentIntentParameters, m.PaymentIntentCreate, Call], Awaitable[v.PaymentIntent | Reply[v.PaymentIntent]]] = payments.create_payment_intent
createPaymentIntent = Operation(
    id="createPaymentIntent", method="post", path="/api/payments/create-intent", access=Access("anonymous", frozenset({"write:orders"})),
    handler=_create_payment_intent,
    status=201,
    parameters=Parameters(
        p.CreatePaymentIntentParameters,
        header=(Parameter("Idempotency-Key", "idempotency_key", text(min_length=8, max_length=128, pattern='^[A-Za-z0-9_-]+$')),),
    ),
    body=Body(m.PaymentIntentCreate),
    limit=LimitRule(per_minute=20, burst=10),
    headers=((b'cache-control', b'no-store'),),
    idempotent=True,
    priority=True,
)

_confirm_payment: Callable[[m.PaymentConfirm, Call], Awaitable[v.Payment | Reply[v.Payment]]] = payments.confirm_payment
confirmPayment = Operation(
    id="confirmPayment", method="post", path="/api/payments/confirm", access=Access("anonymous", frozenset({"write:orders"})),
    handler=_confirm_payment,
    body=Body(m.PaymentConfirm),
    limit=LimitRule(per_minute=20, burst=10),
    headers=((b'cache-control', b'no-store'),),
    priority=True,
)

_refund_payment: Callable[[p.RefundPaymentParameters, m.RefundCreate, Call], Awaitable[v.Refund | Reply[v.Refund]]] = payments.refund_payment
refundPayment = Operation(
    id="refundPayment", method="post", path="/api/payments/refund", access=Access("staff", frozenset({"manage:payments"})),
    handler=_refund_payment,
    status=201,
    parameters=Parameters(
        p.RefundPaymentParameters,
        header=(Parameter("Idempotency-Key", "idempotency_key", text(min_length=8, max_length=128, pattern='^[A-Za-z0-9_-]+$'), required=True),),
    ),
    body=Body(m.RefundCreate),
    limit=LimitRule(per_minute=30, burst=10),
    headers=((b'cache-control', b'no-store'),),
    idempotent=True,
)

_receive_stripe_webhook: Callable[[p.ReceiveStripeWebhookParameters, m.StripeEvent, Call], Awaitable[v.WebhookReceipt | Reply[v.WebhookReceipt]]] = payments.receive_stripe_webhook
receiveStripeWebhook = Operation(
    id="receiveStripeWebhook", method="post", path="/api/webhooks/stripe", access=Access("anonymous"),
    handler=_receive_stripe_webhook,
    parameters=Parameters(
        p.ReceiveStripeWebhookParameters,
        header=(Parameter("Stripe-Signature", "stripe_signature", text(min_length=1, max_length=1024), required=True),),
    ),
    body=Body(m.StripeEvent, max_bytes=524288),
    limit=LimitRule(per_minute=1200, burst=600),
    headers=((b'cache-control', b'no-store'),),
    priority=True,
)

listMyReturns = Operation(
    id="listMyReturns", method="get", path="/api/users/me/returns", access=Access("customer"),
    parameters=Parameters(
        p.ListMyReturnsParameters,
        query=(Parameter("status", "status", text(enum=('requested', 'approved', 'rejected', 'received', 'refunded'))), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

createMyReturn = Operation(
    id="createMyReturn", method="post", path="/api/users/me/returns", access=Access("customer", frozenset({"write:returns"})),
    status=201,
    parameters=Parameters(
        p.CreateMyReturnParameters,
        header=(Parameter("Idempotency-Key", "idempotency_key", text(min_length=8, max_length=128, pattern='^[A-Za-z0-9_-]+$')),),
    ),
    body=Body(m.ReturnCreate, max_bytes=224256),
    limit=LimitRule(per_minute=10, burst=10),
    headers=((b'cache-control', b'no-store'),),
    idempotent=True,
)

getMyReturn = Operation(
    id="getMyReturn", method="get", path="/api/users/me/returns/{return_id}", access=Access("customer"),
    parameters=Parameters(
        p.GetMyReturnParameters,
        path=(Parameter("return_id", "return_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

listReturns = Operation(
    id="listReturns", method="get", path="/api/staff/returns", access=Access("staff", frozenset({"manage:returns"})),
    parameters=Parameters(
        p.ListReturnsParameters,
        query=(Parameter("status", "status", text(enum=('requested', 'approved', 'rejected', 'received', 'refunded'))), Parameter("type", "type", text(enum=('return', 'exchange'))), Parameter("order_id", "order_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$')), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

createReturn = Operation(
    id="createReturn", method="post", path="/api/staff/returns", access=Access("staff", frozenset({"manage:returns"})),
    status=201,
    parameters=Parameters(
        p.CreateReturnParameters,
        header=(Parameter("Idempotency-Key", "idempotency_key", text(min_length=8, max_length=128, pattern='^[A-Za-z0-9_-]+$')),),
    ),
    body=Body(m.ReturnCreate, max_bytes=224256),
    headers=((b'cache-control', b'no-store'),),
    idempotent=True,
)

getReturn = Operation(
    id="getReturn", method="get", path="/api/staff/returns/{return_id}", access=Access("staff", frozenset({"manage:returns"})),
    parameters=Parameters(
        p.GetReturnParameters,
        path=(Parameter("return_id", "return_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

approveReturn = Operation(
    id="approveReturn", method="put", path="/api/staff/returns/{return_id}/approve", access=Access("staff", frozenset({"manage:returns"})),
    parameters=Parameters(
        p.ApproveReturnParameters,
        path=(Parameter("return_id", "return_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.ReturnApproval, required=False),
    headers=((b'cache-control', b'no-store'),),
)

rejectReturn = Operation(
    id="rejectReturn", method="put", path="/api/staff/returns/{return_id}/reject", access=Access("staff", frozenset({"manage:returns"})),
    parameters=Parameters(
        p.RejectReturnParameters,
        path=(Parameter("return_id", "return_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.ReturnRejection),
    headers=((b'cache-control', b'no-store'),),
)

receiveReturn = Operation(
    id="receiveReturn", method="post", path="/api/staff/returns/{return_id}/receive", access=Access("staff", frozenset({"manage:returns"})),
    parameters=Parameters(
        p.ReceiveReturnParameters,
        path=(Parameter("return_id", "return_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)), Parameter("Idempotency-Key", "idempotency_key", text(min_length=8, max_length=128, pattern='^[A-Za-z0-9_-]+$')),),
    ),
    body=Body(m.ReturnReceipt, required=False),
    headers=((b'cache-control', b'no-store'),),
    idempotent=True,
)

listMyTickets = Operation(
    id="listMyTickets", method="get", path="/api/users/me/tickets", access=Access("customer", frozenset({"write:tickets"})),
    parameters=Parameters(
        p.ListMyTicketsParameters,
        query=(Parameter("status", "status", text(enum=('pending', 'in_progress', 'waiting_on_customer', 'resolved', 'closed'))), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

createMyTicket = Operation(
    id="createMyTicket", method="post", path="/api/users/me/tickets", access=Access("customer", frozenset({"write:tickets"})),
    status=201,
    body=Body(m.TicketCreate),
    limit=LimitRule(per_minute=10, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

getMyTicket = Operation(
    id="getMyTicket", method="get", path="/api/users/me/tickets/{ticket_id}", access=Access("customer", frozenset({"write:tickets"})),
    parameters=Parameters(
        p.GetMyTicketParameters,
        path=(Parameter("ticket_id", "ticket_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

addMyTicketMessage = Operation(
    id="addMyTicketMessage", method="post", path="/api/users/me/tickets/{ticket_id}/messages", access=Access("customer", frozenset({"write:tickets"})),
    status=201,
    parameters=Parameters(
        p.AddMyTicketMessageParameters,
        path=(Parameter("ticket_id", "ticket_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    body=Body(m.TicketMessageCreate),
    limit=LimitRule(per_minute=20, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

listTickets = Operation(
    id="listTickets", method="get", path="/api/staff/tickets", access=Access("staff", frozenset({"manage:tickets"})),
    parameters=Parameters(
        p.ListTicketsParameters,
        query=(Parameter("status", "status", text(enum=('pending', 'in_progress', 'waiting_on_customer', 'resolved', 'closed'))), Parameter("type", "type", text(enum=('return', 'exchange', 'refund', 'order', 'delivery', 'payment', 'product', 'account', 'other'))), Parameter("priority", "priority", text(enum=('low', 'normal', 'high', 'urgent'))), Parameter("assigned_to", "assigned_to", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$')), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

getTicket = Operation(
    id="getTicket", method="get", path="/api/staff/tickets/{ticket_id}", access=Access("staff", frozenset({"manage:tickets"})),
    parameters=Parameters(
        p.GetTicketParameters,
        path=(Parameter("ticket_id", "ticket_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

updateTicketStatus = Operation(
    id="updateTicketStatus", method="put", path="/api/staff/tickets/{ticket_id}/status", access=Access("staff", frozenset({"manage:tickets"})),
    parameters=Parameters(
        p.UpdateTicketStatusParameters,
        path=(Parameter("ticket_id", "ticket_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.TicketStatusChange),
    headers=((b'cache-control', b'no-store'),),
)

assignTicket = Operation(
    id="assignTicket", method="put", path="/api/staff/tickets/{ticket_id}/assign", access=Access("staff", frozenset({"manage:tickets"})),
    parameters=Parameters(
        p.AssignTicketParameters,
        path=(Parameter("ticket_id", "ticket_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.TicketAssignment),
    headers=((b'cache-control', b'no-store'),),
)

respondToTicket = Operation(
    id="respondToTicket", method="post", path="/api/staff/tickets/{ticket_id}/response", access=Access("staff", frozenset({"manage:tickets"})),
    status=201,
    parameters=Parameters(
        p.RespondToTicketParameters,
        path=(Parameter("ticket_id", "ticket_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    body=Body(m.TicketResponse),
    headers=((b'cache-control', b'no-store'),),
)

_list_shipments: Callable[[p.ListShipmentsParameters, Call], Awaitable[v.ShipmentPage | Reply[v.ShipmentPage]]] = shipments.list_shipments
listShipments = Operation(
    id="listShipments", method="get", path="/api/staff/shipments", access=Access("staff", frozenset({"manage:shipments"})),
    handler=_list_shipments,
    parameters=Parameters(
        p.ListShipmentsParameters,
        query=(Parameter("status", "status", text(enum=('label_created', 'picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned', 'cancelled'))), Parameter("carrier", "carrier", text(enum=('FedEx', 'UPS', 'USPS', 'DHL'))), Parameter("order_id", "order_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$')), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_get_shipment: Callable[[p.GetShipmentParameters, Call], Awaitable[v.Shipment | Reply[v.Shipment]]] = shipments.get_shipment
getShipment = Operation(
    id="getShipment", method="get", path="/api/staff/shipments/{shipment_id}", access=Access("staff", frozenset({"manage:shipments"})),
    handler=_get_shipment,
    parameters=Parameters(
        p.GetShipmentParameters,
        path=(Parameter("shipment_id", "shipment_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_update_shipment_status: Callable[[p.UpdateShipmentStatusParameters, m.ShipmentStatusChange, Call], Awaitable[v.Shipment | Reply[v.Shipment]]] = shipments.update_shipment_status
updateShipmentStatus = Operation(
    id="updateShipmentStatus", method="put", path="/api/staff/shipments/{shipment_id}/status", access=Access("staff", frozenset({"manage:shipments"})),
    handler=_update_shipment_status,
    parameters=Parameters(
        p.UpdateShipmentStatusParameters,
        path=(Parameter("shipment_id", "shipment_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.ShipmentStatusChange),
    headers=((b'cache-control', b'no-store'),),
)

_notify_shipment_customer: Callable[[p.NotifyShipmentCustomerParameters, m.ShipmentNotificationCreate, Call], Awaitable[v.ShipmentNotification | Reply[v.ShipmentNotification]]] = shipments.notify_shipment_customer
notifyShipmentCustomer = Operation(
    id="notifyShipmentCustomer", method="post", path="/api/staff/shipments/{shipment_id}/notify-customer", access=Access("staff", frozenset({"manage:shipments"})),
    handler=_notify_shipment_customer,
    status=202,
    parameters=Parameters(
        p.NotifyShipmentCustomerParameters,
        path=(Parameter("shipment_id", "shipment_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    body=Body(m.ShipmentNotificationCreate),
    limit=LimitRule(per_minute=20, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

_get_carrier_tracking: Callable[[p.GetCarrierTrackingParameters, Call], Awaitable[v.CarrierTracking | Reply[v.CarrierTracking]]] = shipments.get_carrier_tracking
getCarrierTracking = Operation(
    id="getCarrierTracking", method="get", path="/api/staff/shipments/{shipment_id}/carrier-tracking", access=Access("staff", frozenset({"manage:shipments"})),
    handler=_get_carrier_tracking,
    parameters=Parameters(
        p.GetCarrierTrackingParameters,
        path=(Parameter("shipment_id", "shipment_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    limit=LimitRule(per_minute=30, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

_contact_carrier: Callable[[p.ContactCarrierParameters, m.CarrierInquiryCreate, Call], Awaitable[v.CarrierInquiry | Reply[v.CarrierInquiry]]] = shipments.contact_carrier
contactCarrier = Operation(
    id="contactCarrier", method="post", path="/api/staff/shipments/{shipment_id}/contact-carrier", access=Access("staff", frozenset({"manage:shipments"})),
    handler=_contact_carrier,
    status=202,
    parameters=Parameters(
        p.ContactCarrierParameters,
        path=(Parameter("shipment_id", "shipment_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    body=Body(m.CarrierInquiryCreate),
    limit=LimitRule(per_minute=20, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

getSalesAnalytics = Operation(
    id="getSalesAnalytics", method="get", path="/api/staff/analytics/sales", access=Access("staff", frozenset({"read:analytics"})),
    parameters=Parameters(
        p.GetSalesAnalyticsParameters,
        query=(Parameter("start_date", "start_date", day()), Parameter("end_date", "end_date", day()), Parameter("interval", "interval", text(enum=('day', 'week', 'month'))),),
    ),
    headers=((b'cache-control', b'private, max-age=60'),),
    cache=CacheRule(seconds=300, of=(), private=True),
)

listTopProducts = Operation(
    id="listTopProducts", method="get", path="/api/staff/analytics/products/top", access=Access("staff", frozenset({"read:analytics"})),
    parameters=Parameters(
        p.ListTopProductsParameters,
        query=(Parameter("sort_by", "sort_by", text(enum=('sales', 'revenue', 'views'))), Parameter("start_date", "start_date", day()), Parameter("end_date", "end_date", day()), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'private, max-age=60'),),
    cache=CacheRule(seconds=300, of=(), private=True),
)

getCategoryAnalytics = Operation(
    id="getCategoryAnalytics", method="get", path="/api/staff/analytics/categories", access=Access("staff", frozenset({"read:analytics"})),
    parameters=Parameters(
        p.GetCategoryAnalyticsParameters,
        query=(Parameter("start_date", "start_date", day()), Parameter("end_date", "end_date", day()),),
    ),
    headers=((b'cache-control', b'private, max-age=60'),),
    cache=CacheRule(seconds=300, of=(), private=True),
)

getConversionAnalytics = Operation(
    id="getConversionAnalytics", method="get", path="/api/staff/analytics/conversion", access=Access("staff", frozenset({"read:analytics"})),
    parameters=Parameters(
        p.GetConversionAnalyticsParameters,
        query=(Parameter("start_date", "start_date", day()), Parameter("end_date", "end_date", day()),),
    ),
    headers=((b'cache-control', b'private, max-age=60'),),
    cache=CacheRule(seconds=300, of=(), private=True),
)

exportSalesReport = Operation(
    id="exportSalesReport", method="get", path="/api/staff/reports/sales/export", access=Access("staff", frozenset({"read:analytics"})),
    parameters=Parameters(
        p.ExportSalesReportParameters,
        query=(Parameter("format", "format", text(enum=('csv', 'xlsx'))), Parameter("start_date", "start_date", day()), Parameter("end_date", "end_date", day()), Parameter("interval", "interval", text(enum=('day', 'week', 'month'))),),
    ),
    limit=LimitRule(per_minute=10, burst=5),
    headers=((b'cache-control', b'no-store'),),
)

getSystemHealth = Operation(
    id="getSystemHealth", method="get", path="/api/admin/health", access=Access("admin", frozenset({"manage:services"})),
    headers=((b'cache-control', b'no-store'),),
)

listServices = Operation(
    id="listServices", method="get", path="/api/admin/services", access=Access("admin", frozenset({"manage:services"})),
    parameters=Parameters(
        p.ListServicesParameters,
        query=(Parameter("kind", "kind", text(enum=('application', 'agent', 'infrastructure'))), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

getServiceLogs = Operation(
    id="getServiceLogs", method="get", path="/api/admin/services/{service_name}/logs", access=Access("admin", frozenset({"manage:services"})),
    parameters=Parameters(
        p.GetServiceLogsParameters,
        path=(Parameter("service_name", "service_name", text(min_length=1, max_length=64, pattern='^[a-z0-9]+(-[a-z0-9]+)*$'), required=True),),
        query=(Parameter("lines", "lines", integer(minimum=1, maximum=1000)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

restartService = Operation(
    id="restartService", method="post", path="/api/admin/services/{service_name}/restart", access=Access("admin", frozenset({"manage:services"})),
    status=202,
    parameters=Parameters(
        p.RestartServiceParameters,
        path=(Parameter("service_name", "service_name", text(min_length=1, max_length=64, pattern='^[a-z0-9]+(-[a-z0-9]+)*$'), required=True),),
    ),
    limit=LimitRule(per_minute=6, burst=3),
    headers=((b'cache-control', b'no-store'),),
)

listUsers = Operation(
    id="listUsers", method="get", path="/api/admin/users", access=Access("admin", frozenset({"manage:users"})),
    parameters=Parameters(
        p.ListUsersParameters,
        query=(Parameter("role", "role", text(enum=('customer', 'staff', 'admin'))), Parameter("email", "email", text(min_length=3, max_length=254, format_name='email')), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

createUser = Operation(
    id="createUser", method="post", path="/api/admin/users", access=Access("admin", frozenset({"manage:users"})),
    status=201,
    body=Body(m.UserCreate),
    headers=((b'cache-control', b'no-store'),),
)

changeUserRole = Operation(
    id="changeUserRole", method="put", path="/api/admin/users/{user_id}/role", access=Access("admin", frozenset({"manage:users"})),
    parameters=Parameters(
        p.ChangeUserRoleParameters,
        path=(Parameter("user_id", "user_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.UserRoleChange),
    headers=((b'cache-control', b'no-store'),),
)

deleteUser = Operation(
    id="deleteUser", method="delete", path="/api/admin/users/{user_id}", access=Access("admin", frozenset({"manage:users"})),
    status=204,
    parameters=Parameters(
        p.DeleteUserParameters,
        path=(Parameter("user_id", "user_id", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

listConfig = Operation(
    id="listConfig", method="get", path="/api/admin/config", access=Access("admin", frozenset({"manage:config"})),
    parameters=Parameters(
        p.ListConfigParameters,
        query=(Parameter("kind", "kind", text(enum=('setting', 'feature_flag'))), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

updateConfig = Operation(
    id="updateConfig", method="put", path="/api/admin/config/{key}", access=Access("admin", frozenset({"manage:config"})),
    parameters=Parameters(
        p.UpdateConfigParameters,
        path=(Parameter("key", "key", text(min_length=1, max_length=100, pattern='^[a-z0-9]+([._-][a-z0-9]+)*$'), required=True),),
        header=(Parameter("If-Match", "if_match", text(min_length=1, max_length=128)),),
    ),
    body=Body(m.ConfigChange),
    headers=((b'cache-control', b'no-store'),),
)

listAuditLogs = Operation(
    id="listAuditLogs", method="get", path="/api/admin/audit-logs", access=Access("admin", frozenset({"read:audit"})),
    parameters=Parameters(
        p.ListAuditLogsParameters,
        query=(Parameter("start_date", "start_date", day()), Parameter("end_date", "end_date", day()), Parameter("actor", "actor", text(min_length=1, max_length=64, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$')), Parameter("action", "action", text(min_length=1, max_length=64, pattern='^[a-z]+(_[a-z]+)*$')), Parameter("entity_type", "entity_type", text(enum=('user', 'address', 'payment_method', 'product', 'category', 'banner', 'review', 'cart', 'promotion', 'inventory', 'order', 'payment', 'return', 'ticket', 'shipment', 'config', 'service', 'event'))), Parameter("entity_id", "entity_id", text(min_length=1, max_length=128)), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_list_dead_letters: Callable[[p.ListDeadLettersParameters, Call], Awaitable[v.DeadLetterPage | Reply[v.DeadLetterPage]]] = admin.list_dead_letters
listDeadLetters = Operation(
    id="listDeadLetters", method="get", path="/api/admin/dead-letters", access=Access("admin", frozenset({"manage:services"})),
    handler=_list_dead_letters,
    parameters=Parameters(
        p.ListDeadLettersParameters,
        query=(Parameter("consumer", "consumer", text(min_length=1, max_length=64, pattern='^[a-z]+(-[a-z]+)*$')), Parameter("status", "status", text(enum=('open', 'replaying', 'replayed'))), Parameter("page", "page", integer(minimum=1, maximum=10000)), Parameter("limit", "limit", integer(minimum=1, maximum=100)), Parameter("cursor", "cursor", text(min_length=1, max_length=1024)),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

_replay_dead_letter: Callable[[p.ReplayDeadLetterParameters, Call], Awaitable[v.DeadLetter | Reply[v.DeadLetter]]] = admin.replay_dead_letter
replayDeadLetter = Operation(
    id="replayDeadLetter", method="post", path="/api/admin/dead-letters/{dead_letter_id}/replay", access=Access("admin", frozenset({"manage:services"})),
    handler=_replay_dead_letter,
    status=202,
    parameters=Parameters(
        p.ReplayDeadLetterParameters,
        path=(Parameter("dead_letter_id", "dead_letter_id", text(min_length=1, max_length=160, pattern='^[A-Za-z0-9][A-Za-z0-9_.-]*$'), required=True),),
    ),
    headers=((b'cache-control', b'no-store'),),
)

invokeAgent = Operation(
    id="invokeAgent", method="post", path="/api/agents/{service_name}/invoke", access=Access("anonymous"),
    parameters=Parameters(
        p.InvokeAgentParameters,
        path=(Parameter("service_name", "service_name", text(enum=('ecommerce-catalog-search', 'ecommerce-product-detail-enrichment', 'ecommerce-cart-intelligence', 'ecommerce-checkout-support', 'ecommerce-order-status', 'product-management-normalization-classification', 'product-management-acp-transformation', 'product-management-consistency-validation', 'product-management-assortment-optimization', 'crm-profile-aggregation', 'crm-segmentation-personalization', 'crm-campaign-intelligence', 'crm-support-assistance', 'inventory-health-check', 'inventory-jit-replenishment', 'inventory-reservation-validation', 'inventory-alerts-triggers', 'logistics-eta-computation', 'logistics-carrier-selection', 'logistics-returns-support', 'logistics-route-issue-detection', 'catalog-search', 'product-detail-enrichment', 'cart-intelligence', 'checkout-support', 'order-status', 'normalization-classification', 'acp-transformation', 'consistency-validation', 'assortment-optimization', 'profile-aggregation', 'segmentation-personalization', 'campaign-intelligence', 'support-assistance', 'health-check', 'jit-replenishment', 'reservation-validation', 'alerts-triggers', 'eta-computation', 'carrier-selection', 'returns-support', 'route-issue-detection')), required=True),),
    ),
    body=Body(m.AgentInvokeRequest),
    limit=LimitRule(per_minute=20, burst=10),
    headers=((b'cache-control', b'no-store'),),
)

_get_liveness: Callable[[Call], Awaitable[v.Liveness | Reply[v.Liveness]]] = system.get_liveness
getLiveness = Operation(
    id="getLiveness", method="get", path="/healthz", access=Access("anonymous"),
    handler=_get_liveness,
    limit=LimitRule(per_minute=600, burst=100),
    headers=((b'cache-control', b'no-store'),),
    priority=True,
)

_get_readiness: Callable[[Call], Awaitable[v.Readiness | Reply[v.Readiness]]] = system.get_readiness
getReadiness = Operation(
    id="getReadiness", method="get", path="/readyz", access=Access("anonymous"),
    handler=_get_readiness,
    limit=LimitRule(per_minute=600, burst=100),
    headers=((b'cache-control', b'no-store'),),
    priority=True,
)

_get_metrics: Callable[[Call], Awaitable[Any | Reply[Any]]] = system.get_metrics
getMetrics = Operation(
    id="getMetrics", method="get", path="/metrics", access=Access("anonymous"),
    handler=_get_metrics,
    limit=LimitRule(per_minute=600, burst=100),
    headers=((b'cache-control', b'no-store'),),
    priority=True,
)

OPERATIONS: tuple[Operation, ...] = (
    login,
    completeMfaLogin,
    signup,
    logout,
    refreshSession,
    verifyEmail,
    resendVerification,
    forgotPassword,
    resetPassword,
    undoEmailChange,
    socialLogin,
    createSocialNonce,
    createGuestSession,
    getJwks,
    getMe,
    updateMe,
    deleteMe,
    reauthenticate,
    getSessions,
    revokeOtherSessions,
    revokeSession,
    getDashboard,
    getRewards,
    changePassword,
    enableTwoFactor,
    verifyTwoFactor,
    disableTwoFactor,
    renewRecoveryCodes,
    getPreferences,
    updatePreferences,
    listAddresses,
    createAddress,
    updateAddress,
    deleteAddress,
    setDefaultAddress,
    validateAddress,
    listPaymentMethods,
    addPaymentMethod,
    deletePaymentMethod,
    listWishlist,
    addToWishlist,
    removeFromWishlist,
    addToWishlistAlias,
    removeFromWishlistAlias,
    listProducts,
    listFeaturedProducts,
    searchProducts,
    getProductFilters,
    getProduct,
    listRelatedProducts,
    listAdminProducts,
    createProduct,
    getAdminProduct,
    updateProduct,
    deleteProduct,
    getProductInventory,
    adjustStock,
    listCategories,
    getCategory,
    createCategory,
    updateCategory,
    deleteCategory,
    listActiveBanners,
    listBanners,
    createBanner,
    getBanner,
    updateBanner,
    deleteBanner,
    listProductReviews,
    createReview,
    updateReview,
    voteOnReview,
    listReviewsForModeration,
    moderateReview,
    getCart,
    clearCart,
    addCartItem,
    updateCartItem,
    removeCartItem,
    mergeCart,
    applyPromoCode,
    removePromoCode,
    createQuote,
    listPromotions,
    createPromotion,
    getPromotion,
    updatePromotion,
    deletePromotion,
    createOrder,
    getOrder,
    getOrderTracking,
    cancelOrder,
    streamOrderEvents,
    listMyOrders,
    listStaffOrders,
    createPaymentIntent,
    confirmPayment,
    refundPayment,
    receiveStripeWebhook,
    listMyReturns,
    createMyReturn,
    getMyReturn,
    listReturns,
    createReturn,
    getReturn,
    approveReturn,
    rejectReturn,
    receiveReturn,
    listMyTickets,
    createMyTicket,
    getMyTicket,
    addMyTicketMessage,
    listTickets,
    getTicket,
    updateTicketStatus,
    assignTicket,
    respondToTicket,
    listShipments,
    getShipment,
    updateShipmentStatus,
    notifyShipmentCustomer,
    getCarrierTracking,
    contactCarrier,
    getSalesAnalytics,
    listTopProducts,
    getCategoryAnalytics,
    getConversionAnalytics,
    exportSalesReport,
    getSystemHealth,
    listServices,
    getServiceLogs,
    restartService,
    listUsers,
    createUser,
    changeUserRole,
    deleteUser,
    listConfig,
    updateConfig,
    listAuditLogs,
    listDeadLetters,
    replayDeadLetter,
    invokeAgent,
    getLiveness,
    getReadiness,
    getMetrics,
)

__all__ = ['Any', 'Awaitable', 'Body', 'CacheRule', 'Call', 'Callable', 'LimitRule', 'Reply', 'boolean', 'day', 'instant', 'integer', 'json_content', 'm', 'number', 'p', 'text', 'v']
