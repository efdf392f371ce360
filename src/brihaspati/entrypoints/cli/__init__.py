"""The command line: the operator's tools, and a student's lab in a shell."""
