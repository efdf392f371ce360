"""What runs as process 1 of a machine. Only the standard library, and no word of the clouds."""
