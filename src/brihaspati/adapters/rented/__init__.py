"""Machines rented by the hour: `Rental` is the provider, the folders are the clouds it asks.

A cloud is a thin client of one HTTP API (`shapes.Cloud`). No create is ever sent twice: the
official client libraries do, and leave a second paid machine behind while they report success.
"""
