"""The documentation is a test."""
