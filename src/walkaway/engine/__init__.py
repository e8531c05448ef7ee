"""The imperative shell: it reads, asks the core, acts and records."""
