"""A real server is killed again and again under a busy class; then nothing may be left of it."""
