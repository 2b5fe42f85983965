"""Answers of the FastAPI peer as pydantic models, plain types as a team writes them by hand (no bounds to check)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Price(BaseModel):
    amount: float
    currency: str
    compare_at: float | None = None
    tax_rate: float


class Image(BaseModel):
    url: str
    alt: str
    order: int


class Variant(BaseModel):
    variant_id: str
    sku: str
    attributes: dict[str, str]
    price_adjustment: float
    stock: int


class Seo(BaseModel):
    meta_title: str
    meta_description: str
    canonical_url: str


class Rating(BaseModel):
    average: float
    count: int


class Analytics(BaseModel):
    views: int
    add_to_cart: int
    purchases: int
    conversion_rate: float


class Product(BaseModel):
    id: str
    product_id: str
    category_slug: str
    sku: str
    name: str
    slug: str
    description: str
    long_description: str
    brand: str
    price: Price
    images: list[Image]
    variants: list[Variant]
    attributes: dict[str, str]
    seo: Seo
    status: Literal["draft", "active", "archived"]
    rating: Rating
    analytics: Analytics
    created_at: str
    updated_at: str
    published_at: str | None = None


class ProductPage(BaseModel):
    items: list[Product]
    page: int
    limit: int
    total: int
    next_cursor: str | None


class Notifications(BaseModel):
    email_marketing: bool
    email_orders: bool
    sms_shipping: bool


class Preferences(BaseModel):
    language: str
    currency: str
    notifications: Notifications


class Profile(BaseModel):
    avatar_url: str | None
    date_of_birth: str | None
    preferences: Preferences


Tier = Literal["bronze", "silver", "gold", "platinum"]


class Rewards(BaseModel):
    points: int
    tier: Tier
    lifetime_spend: float
    currency: str
    next_tier: Tier | None = None
    points_to_next_tier: int | None = None


class User(BaseModel):
    user_id: str
    email: str
    name: str
    role: Literal["customer", "staff", "admin"]
    phone: str | None
    email_verified: bool
    newsletter_opt_in: bool
    two_factor_enabled: bool
    profile: Profile
    rewards: Rewards
    created_at: str
    updated_at: str
    last_login: str | None
