"""What AWS Lambda runs: one zip per function, the same bytes from the same sources.

`python -m packing` builds them (see docs/decisions/0017-packages-for-lambda.md).
"""
