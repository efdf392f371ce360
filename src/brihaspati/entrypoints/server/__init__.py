"""The local server: one process that is API, workers, clock, agent and web page."""
