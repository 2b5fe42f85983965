"""One length for each thing that is told: what may be entered can be stored, and what is stored can be answered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import NamedTuple

from infra.contract.bundle import Json
from infra.contract.lint.contract import Contract
from infra.contract.lint.registry import Found, rule
from infra.contract.lint.walkers import all_schemas, named

# Properties that share their name with others and mean something else, by what they mean. Those of a group have one
# length too.
OTHER_MEANINGS: Mapping[str, tuple[str, ...]] = {
    "an article, as the catalogue names it": (
        "CartItem.name",
        "OrderItem.name",
        "Product.name",
        "ProductCreate.name",
        "ProductSummary.name",
        "ProductUpdate.name",
        "ProductSnapshot.name",
        "QuoteLine.name",
        "ReturnItem.name",
        "TopProduct.name",
    ),
    "a category or another part of the shop's offer": (
        "AttributeFacet.name",
        "Category.name",
        "CategoryCreate.name",
        "CategoryFacet.name",
        "CategoryLink.name",
        "CategorySales.name",
        "CategoryUpdate.name",
        "ShippingMethodOption.name",
    ),
    "a dependency, by its technical name": (
        "Dependency.name",
        "ReadinessCheck.name",
    ),
    "a category's text": (
        "Category.description",
        "CategoryCreate.description",
        "CategoryUpdate.description",
    ),
    "an article's text": (
        "Product.description",
        "ProductCreate.description",
        "ProductUpdate.description",
        "ProductSnapshot.description",
    ),
    "what a customer writes to the support": (
        "StaffTicket.description",
        "Ticket.description",
        "TicketCreate.description",
    ),
    "what is the matter with a parcel, or what a setting does": (
        "ShipmentIssue.description",
        "ConfigEntry.description",
    ),
    "a category is known by its slug": ("Category.id",),
    "an id that another system has made": (
        "StripeEvent.id",
        "WebhookReceipt.event_id",
    ),
    "an id of any event, whoever has sent it": ("DeadLetter.event_id",),
    "a sentence of ours, one about an answer": (
        "Accepted.message",
        "AddressIssue.message",
    ),
    "a sentence of ours, one for a shopper or an operator": (
        "CartNotice.message",
        "ServiceHealth.message",
    ),
    "a sentence of an error, or of a notification by SMS": (
        "ErrorBody.message",
        "ShipmentNotificationCreate.message",
    ),
    "a line of a log": ("LogLine.message",),
    "what an agent says, which is longer than what it is asked": ("AgentReply.content",),
    "a note for the delivery": (
        "Order.notes",
        "OrderCreate.notes",
        "OrderLookup.notes",
    ),
    "a note of the staff on a parcel": (
        "Shipment.notes",
        "ShipmentStatusChange.notes",
    ),
    "why an order was cancelled": (
        "OrderCancel.comment",
        "OrderCancellation.comment",
    ),
    "why something is sent back": (
        "ReturnCreate.comment",
        "ReturnRequest.comment",
        "StaffReturn.comment",
    ),
    "why a review was refused, for the log of the moderation": ("ReviewModeration.note",),
    "the brand of a card": (
        "OrderPayment.brand",
        "Payment.brand",
        "PaymentMethod.brand",
    ),
    "a promo code, not one of a second factor": (
        "PromoCodeApply.code",
        "PromoResult.code",
        "Promotion.code",
        "PromotionCreate.code",
    ),
    "a code of an app alone, for a recovery code proves no app": ("TwoFactorVerifyRequest.code",),
    "a new password: bcrypt takes no more; a wrong one may be longer": (
        "SignupRequest.password",
        "UserCreate.password",
    ),
    "an identity token of a provider, not a token of a mail": ("SocialLoginRequest.token",),
    "the id of a guest's session alone, which has one form": ("Session.session_id",),
    "a place that a carrier names": (
        "ShipmentLocation.city",
        "ShipmentLocation.state",
    ),
    "a person, not an e-mail address or a phone number": ("ShipmentSummary.recipient",),
    "a day, not a moment": ("ShippingMethodOption.estimated_delivery",),
}


class _Length(NamedTuple):
    """How long a property of a schema may be, and where that stands."""

    place: str
    owner: str
    length: int


@rule("length-agreed")
def length_agreed(contract: Contract) -> Found:
    """The same property has the same `maxLength` in every schema; one that means something else is listed by what."""
    meanings = {owner: meaning for meaning, owners in OTHER_MEANINGS.items() for owner in owners}
    groups: dict[tuple[str, str], list[_Length]] = defaultdict(list)
    for name, found in _lengths(contract):
        groups[name, meanings.get(found.owner, "")].append(found)
    for (name, _), lengths in groups.items():
        usual = Counter(each.length for each in lengths).most_common(1)[0][0]
        for each in lengths:
            if each.length != usual:
                yield each.place, f"{each.owner}: maxLength {each.length}, and {usual} where {name} stands elsewhere"


def _lengths(contract: Contract) -> Iterator[tuple[str, _Length]]:
    """The length of every bounded text that is a property, by the property's name."""
    for place, schema in _schemas(contract):
        for name, inner in (schema.get("properties") or {}).items():
            length = _resolved(contract, inner).get("maxLength")
            if length is not None:
                yield name, _Length(place, f"{PurePath(place).stem}.{name}", length)


def _schemas(contract: Contract) -> Iterator[tuple[str, Json]]:
    """Every schema of the requests, responses and events with its file."""
    for place, _, schema in all_schemas(contract):
        yield place, schema
    for name, schema in contract.events["components"]["schemas"].items():
        if name not in contract.components("schemas"):
            yield f"asyncapi/components/schemas/{name}.yaml", schema


def _resolved(contract: Contract, schema: Json) -> Json:
    """The schema behind a reference."""
    reference = schema.get("$ref")
    return contract.components("schemas").get(named(reference), {}) if reference is not None else schema
