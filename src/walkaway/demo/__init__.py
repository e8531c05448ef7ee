"""The demonstration: a small tool is built from its specification by a model whose replies are a script.

Everything else in it is real. It uses walkaway as a person would, by its commands, each a process of its own.
"""

from walkaway.demo.plot import FULL, SHORT
from walkaway.demo.runner import run

__all__ = ["FULL", "SHORT", "run"]
