"""Every port in memory, for tests and simulations: deterministic, with faults on request.

Nothing here is patched over real code: these are whole implementations that pass the contract
suites of their ports.
"""

from brihaspati.adapters.memory.items import Fault, Faults, Store
from brihaspati.adapters.memory.machines import Delays, Machine, Plan, Provider, Refuse, Vague
from brihaspati.adapters.memory.messages import Copies, Queue, Timer
from brihaspati.adapters.memory.papers import Letter, Mail, Secrets
from brihaspati.adapters.memory.world import ManualClock, SeededChance

__all__ = [
    "Copies",
    "Delays",
    "Fault",
    "Faults",
    "Letter",
    "Machine",
    "Mail",
    "ManualClock",
    "Plan",
    "Provider",
    "Queue",
    "Refuse",
    "Secrets",
    "SeededChance",
    "Store",
    "Timer",
    "Vague",
]
