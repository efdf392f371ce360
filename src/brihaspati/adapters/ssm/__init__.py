"""Keys and tokens kept in the parameter store of Systems Manager, encrypted."""

from brihaspati.adapters.ssm.keys import (
    MAC_NAME,
    SIGNING_NAME,
    Keys,
    MissingSecret,
    Parameters,
    verify,
)

__all__ = ["MAC_NAME", "SIGNING_NAME", "Keys", "MissingSecret", "Parameters", "verify"]
