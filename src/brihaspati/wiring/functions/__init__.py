"""The functions of the cloud mode: one module each, with the `handler` that Lambda calls.

Importing one builds its parts and connects nothing, so that a snapshot of it may be taken.
"""
