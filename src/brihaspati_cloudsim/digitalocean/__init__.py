"""DigitalOcean's API, version 2."""
