"""Markdown for people, printed from the database and never read back (ADR 0001)."""

from walkaway.projection.foundation import needed
from walkaway.projection.markdown import render
from walkaway.projection.registers import render_registers
from walkaway.projection.state import render_state
from walkaway.projection.write import write

__all__ = ["needed", "render", "render_registers", "render_state", "write"]
