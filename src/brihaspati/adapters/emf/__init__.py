"""Metrics as lines of CloudWatch's embedded metric format."""

from brihaspati.adapters.emf.lines import NAMESPACE, Lines

__all__ = ["NAMESPACE", "Lines"]
