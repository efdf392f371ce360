"""Brihaspati: a dedicated, ephemeral lab in the browser for every student of a class."""
