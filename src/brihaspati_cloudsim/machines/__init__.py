"""Servers with a body: each runs its user data in a root, namespaces and a network of its own."""
