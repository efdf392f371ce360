"""One file (or folder) per technology, named after it. Adapters do not know each other."""
