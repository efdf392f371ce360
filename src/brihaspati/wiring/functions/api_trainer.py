"""What trainers do with their classes."""

from brihaspati.wiring.functions import people

handler = people.web("api_trainer")
