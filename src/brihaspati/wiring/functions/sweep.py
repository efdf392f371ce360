"""The second chance, once a minute."""

from brihaspati.wiring.functions import workers

handler = workers.sweep()
