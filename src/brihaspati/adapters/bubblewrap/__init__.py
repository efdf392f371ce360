"""Machines for a host where we are neither root nor near a container engine: trusted use only."""
