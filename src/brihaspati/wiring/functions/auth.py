"""Joining, signing in, who one is, and the document of the API."""

from brihaspati.entrypoints.http import public
from brihaspati.wiring.functions import people

handler = people.web("auth", public)
