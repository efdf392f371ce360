"""Machines as containers of a Docker Engine, or of Podman through its Docker-compatible socket."""
