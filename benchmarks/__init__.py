"""What walkaway costs, measured against its limits: ``python -m benchmarks``. Nothing in the package imports this."""
