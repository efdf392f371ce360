"""Load, decide, save, perform. Synchronous; knows the ports only."""
