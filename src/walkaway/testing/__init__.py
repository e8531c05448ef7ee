"""Suites and strategies that come with the package: whoever adds a store, a unit or a tool holds it against these."""
