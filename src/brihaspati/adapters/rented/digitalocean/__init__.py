"""DigitalOcean: droplets by API v2."""
