"""Brihaspati: a dedicated, ephemeral lab in the browser for every student of a class."""

__version__ = "0.1.0"
