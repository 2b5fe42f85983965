"""The containers of the document store. Written by infra/contract/containers.py: edit infra/containers.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

PER_DOCUMENT: Final = -1


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an index."""

    path: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """An index in the order of its keys; `id` is the last one. `kind`: over the service rows of that kind."""

    keys: tuple[Key, ...]
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A container. Paths are dotted. `ttl` in seconds; -1: only by the document's own field; None: never.

    `throughput` is the most that autoscale may reach, in request units a second.
    `kinds` are the service rows that may live in it, each with its `ttl` in the same terms.
    `cross_partition` are the purposes for which it may be read without a partition.
    """

    name: str
    partition_key: tuple[str, ...]
    unique_keys: tuple[tuple[str, ...], ...] = ()
    filters: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    ttl: int | None = None
    throughput: int = 1000
    kinds: Mapping[str, int | None] = field(default_factory=dict)
    cross_partition: frozenset[str] = frozenset()


CONTAINERS: Final[Mapping[str, Container]] = MappingProxyType(
    {
        'users': Container(
            name='users',
            partition_key=('user_id',),
            filters=('email',),
            indexes=(
                Index((Key('role'), Key('email'))),
                Index((Key('created_at', True),)),
            ),
            throughput=2000,
            kinds=MappingProxyType({'outbox': 604800, 'inbox': 691200, 'idempotency': 86400, 'earning': 63072000, 'notice': 604800}),
            cross_partition=frozenset(['admin_users', 'outbox_relay']),
        ),
        'products': Container(
            name='products',
            partition_key=('category_slug',),
            indexes=(
                Index((Key('updated_at'),)),
            ),
            throughput=2000,
            kinds=MappingProxyType({'outbox': 604800, 'inbox': 691200, 'idempotency': 86400, 'history': None}),
            cross_partition=frozenset(['catalogue_index', 'outbox_relay']),
        ),
        'orders': Container(
            name='orders',
            partition_key=('user_id',),
            filters=('payment_status', 'fulfillment_status'),
            indexes=(
                Index((Key('user_id'), Key('status'), Key('created_at', True))),
                Index((Key('user_id'), Key('created_at', True))),
                Index((Key('status'), Key('created_at', True))),
                Index((Key('created_at', True),)),
                Index((Key('email'), Key('created_at', True))),
                Index((Key('attention'), Key('created_at', True))),
            ),
            throughput=4000,
            kinds=MappingProxyType({'outbox': 604800, 'inbox': 691200, 'idempotency': 86400, 'history': None}),
            cross_partition=frozenset(['outbox_relay', 'staff_orders']),
        ),
        'reviews': Container(
            name='reviews',
            partition_key=('product_id',),
            filters=('rating',),
            indexes=(
                Index((Key('product_id'), Key('status'), Key('created_at', True))),
                Index((Key('product_id'), Key('status'), Key('rating', True))),
                Index((Key('product_id'), Key('status'), Key('helpful_count', True))),
                Index((Key('user_id'), Key('created_at', True))),
                Index((Key('status'), Key('created_at', True))),
            ),
            kinds=MappingProxyType({'outbox': 604800, 'inbox': 691200, 'idempotency': 86400}),
            cross_partition=frozenset(['outbox_relay', 'reviews_of_user', 'staff_reviews']),
        ),
        'cart': Container(
            name='cart',
            partition_key=('user_id',),
            ttl=-1,
            throughput=4000,
            kinds=MappingProxyType({'outbox': 604800, 'inbox': 691200, 'idempotency': 86400}),
            cross_partition=frozenset(['outbox_relay']),
        ),
        'addresses': Container(
            name='addresses',
            partition_key=('user_id',),
            kinds=MappingProxyType({'outbox': 604800, 'idempotency': 86400, 'book': None}),
            cross_partition=frozenset(['outbox_relay']),
        ),
        'payment_methods': Container(
            name='payment_methods',
            partition_key=('user_id',),
            kinds=MappingProxyType({'outbox': 604800, 'idempotency': 86400, 'wallet': None}),
            cross_partition=frozenset(['outbox_relay']),
        ),
        'wishlist': Container(
            name='wishlist',
            partition_key=('user_id',),
            indexes=(
                Index((Key('user_id'), Key('added_at', True))),
            ),
            kinds=MappingProxyType({'outbox': 604800}),
            cross_partition=frozenset(['outbox_relay']),
        ),
        'tickets': Container(
            name='tickets',
            partition_key=('user_id',),
            filters=('type', 'priority', 'category'),
            indexes=(
                Index((Key('user_id'), Key('created_at', True))),
                Index((Key('status'), Key('created_at', True))),
                Index((Key('assigned_to'), Key('status'), Key('created_at', True))),
                Index((Key('created_at', True),)),
            ),
            kinds=MappingProxyType({'outbox': 604800, 'inbox': 691200, 'idempotency': 86400}),
            cross_partition=frozenset(['outbox_relay', 'staff_tickets']),
        ),
        'shipments': Container(
            name='shipments',
            partition_key=('order_id',),
            indexes=(
                Index((Key('status'), Key('created_at', True))),
                Index((Key('carrier'), Key('created_at', True))),
                Index((Key('created_at', True),)),
                Index((Key('tracking_number'),)),
            ),
            kinds=MappingProxyType({'outbox': 604800, 'inbox': 691200, 'idempotency': 86400, 'booking': None, 'history': None}),
            cross_partition=frozenset(['carrier_tracking', 'migrations', 'outbox_relay', 'parcels_under_way', 'staff_shipments']),
        ),
        'audit_logs': Container(
            name='audit_logs',
            partition_key=('entity_type', 'month'),
            indexes=(
                Index((Key('timestamp', True),)),
                Index((Key('entity_id'), Key('timestamp', True))),
                Index((Key('actor_id'), Key('timestamp', True))),
                Index((Key('action'), Key('timestamp', True))),
            ),
            ttl=7776000,
            cross_partition=frozenset(['admin_audit', 'audit_archive']),
        ),
        'categories': Container(
            name='categories',
            partition_key=('slug',),
            kinds=MappingProxyType({'outbox': 604800, 'inbox': 691200, 'idempotency': 86400}),
            cross_partition=frozenset(['category_tree', 'outbox_relay']),
        ),
        'banners': Container(
            name='banners',
            partition_key=('placement',),
            kinds=MappingProxyType({'outbox': 604800}),
            cross_partition=frozenset(['all_banners', 'outbox_relay']),
        ),
        'promo_codes': Container(
            name='promo_codes',
            partition_key=('code',),
            filters=('active',),
            kinds=MappingProxyType({'outbox': 604800, 'inbox': 691200, 'redemption': None}),
            cross_partition=frozenset(['admin_promotions', 'outbox_relay']),
        ),
        'returns': Container(
            name='returns',
            partition_key=('order_id',),
            indexes=(
                Index((Key('user_id'), Key('created_at', True))),
                Index((Key('status'), Key('created_at', True))),
                Index((Key('created_at', True),)),
            ),
            kinds=MappingProxyType({'outbox': 604800, 'inbox': 691200, 'idempotency': 86400}),
            cross_partition=frozenset(['outbox_relay', 'returns_of_user', 'staff_returns']),
        ),
        'payments': Container(
            name='payments',
            partition_key=('order_id',),
            indexes=(
                Index((Key('status'), Key('created_at'))),
            ),
            kinds=MappingProxyType({'outbox': 604800, 'inbox': 691200, 'idempotency': 86400, 'claim': None}),
            cross_partition=frozenset(['outbox_relay', 'payment_reconciliation']),
        ),
        'inventory': Container(
            name='inventory',
            partition_key=('product_id',),
            filters=('sku',),
            indexes=(
                Index((Key('updated_at', True),)),
            ),
            throughput=4000,
            kinds=MappingProxyType({'outbox': 604800, 'idempotency': 86400, 'hold': -1, 'card': None}),
            cross_partition=frozenset(['outbox_relay', 'staff_stock']),
        ),
        'config': Container(
            name='config',
            partition_key=('scope',),
            kinds=MappingProxyType({'outbox': 604800}),
            cross_partition=frozenset(['outbox_relay']),
        ),
        'auth_tokens': Container(
            name='auth_tokens',
            partition_key=('token_hash',),
            ttl=-1,
        ),
        'erasures': Container(
            name='erasures',
            partition_key=('queue',),
            indexes=(
                Index((Key('queue'), Key('due_at'))),
            ),
        ),
        'sales_aggregates': Container(
            name='sales_aggregates',
            partition_key=('period',),
            filters=('dimension',),
            indexes=(
                Index((Key('period'), Key('day'))),
            ),
            kinds=MappingProxyType({'inbox': 691200}),
        ),
        'notifications': Container(
            name='notifications',
            partition_key=('subject',),
            ttl=31536000,
        ),
        'unique_claims': Container(
            name='unique_claims',
            partition_key=('claim',),
        ),
        'lookups': Container(
            name='lookups',
            partition_key=('key',),
        ),
        'counters': Container(
            name='counters',
            partition_key=('name',),
        ),
        'deadlines': Container(
            name='deadlines',
            partition_key=('bucket',),
            indexes=(
                Index((Key('bucket'), Key('due_at'))),
            ),
            ttl=-1,
        ),
        'dead_letters': Container(
            name='dead_letters',
            partition_key=('consumer',),
            indexes=(
                Index((Key('consumer'), Key('status'), Key('failed_at', True))),
                Index((Key('status'), Key('failed_at', True))),
            ),
            ttl=-1,
            kinds=MappingProxyType({'outbox': 604800, 'inbox': 691200}),
            cross_partition=frozenset(['admin_dead_letters', 'outbox_relay']),
        ),
        'checkpoints': Container(
            name='checkpoints',
            partition_key=('consumer_group',),
        ),
        'leases': Container(
            name='leases',
            partition_key=('group',),
            ttl=-1,
        ),
    }
)
