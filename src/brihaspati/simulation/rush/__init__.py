"""A rush: thousands press Play within a minute, against models of what the clouds limit.

The engine is the real one, one for each environment of each function, as in the cloud mode. What is
modelled is around it: how functions scale, what a table, queues and schedules take in a second, how
fast a cloud may be asked. Time is virtual, and all chance comes from one seed.
"""
