"""Run it. Walk away. Come back to finished, verified, merged work."""

__version__ = "0.1.0"
