"""Measurements: `python -m bench`, or one of them, `python -m bench.store`."""
