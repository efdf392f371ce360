"""The program that serves terminals, files and ports of a machine. Knows nothing of brihaspati."""
