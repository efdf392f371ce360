"""How the world reaches us: HTTP, the local server, the command line."""
