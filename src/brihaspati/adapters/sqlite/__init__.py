"""Store, queue and timer in one SQLite file: the embedded mode's memory.

    database = sqlite.Database(folder / "brihaspati.db")
    store, timer = sqlite.Store(database, clock), sqlite.Timer(database)
    queue = sqlite.Queue(database, clock, tries_max=5)

A server first takes `sqlite.lock(folder)`; the command line opens the file beside it.
"""

from brihaspati.adapters.sqlite.alarms import Timer
from brihaspati.adapters.sqlite.database import Database, version
from brihaspati.adapters.sqlite.faults import Broken, Newer
from brihaspati.adapters.sqlite.items import Store
from brihaspati.adapters.sqlite.messages import Queue
from brihaspati.adapters.sqlite.serverlock import AlreadyServed, ServerLock, lock

__all__ = [
    "AlreadyServed",
    "Broken",
    "Database",
    "Newer",
    "Queue",
    "ServerLock",
    "Store",
    "Timer",
    "lock",
    "version",
]
