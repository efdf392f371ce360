"""A stand-in for DigitalOcean and Linode on this machine: their APIs, their habits, real machines.

For tests and development. `world.World` is the whole of it without a socket: it takes a request
and a clock, and answers as the provider would. `server` puts it on loopback, `machines` runs what
a create's user data says. Nothing of `brihaspati` is known here, so that the product cannot be
tested against its own opinion of the clouds.
"""
