"""Cold starts, with Lambda's own runtime client, from the zips that are deployed."""
