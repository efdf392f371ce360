"""Linode (Akamai): instances by API v4."""
