"""The store on DynamoDB: one table, whole items, compare-and-set.

    connection = dynamodb.Connection(dynamodb.Place("bh-prod"))
    store = dynamodb.Store(connection, clock, chance)

Nothing connects, no client is made, and nothing is loaded that could, before the first call.
"""

from brihaspati.adapters.dynamodb.connection import Connection
from brihaspati.adapters.dynamodb.place import (
    INDEXES,
    TTL_ATTRIBUTE,
    Place,
    Unusable,
    definition,
)
from brihaspati.adapters.dynamodb.store import Store

__all__ = ["INDEXES", "TTL_ATTRIBUTE", "Connection", "Place", "Store", "Unusable", "definition"]
