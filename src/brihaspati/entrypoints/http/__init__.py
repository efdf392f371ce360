"""The HTTP API: routes declared once, for the local server and for AWS Lambda alike."""
