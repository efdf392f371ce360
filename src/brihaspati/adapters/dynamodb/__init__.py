"""The store on DynamoDB: one table, whole items, compare-and-set.

    connection = dynamodb.Connection(dynamodb.Place("bh-prod"))
    store = dynamodb.Store(connection, clock, chance)

Nothing connects, and no client is made, before the first call.
"""

from brihaspati.adapters.dynamodb.patience import Unusable
from brihaspati.adapters.dynamodb.store import Store
from brihaspati.adapters.dynamodb.table import (
    INDEXES,
    TTL_ATTRIBUTE,
    Connection,
    Place,
    definition,
)

__all__ = ["INDEXES", "TTL_ATTRIBUTE", "Connection", "Place", "Store", "Unusable", "definition"]
