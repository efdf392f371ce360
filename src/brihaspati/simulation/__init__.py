"""A world in which everything goes wrong, for the real engine: one seed, one history.

Virtual time, a cloud that lies, messages that get lost, processes that die between any two calls.
After every step, and when all is quiet, the promises of the product are checked.
"""
