"""Linode's API, version 4."""
