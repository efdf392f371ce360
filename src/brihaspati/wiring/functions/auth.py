"""Joining, signing in, who one is, and the document of the API."""

from brihaspati.wiring.functions import people

handler = people.web("auth")
