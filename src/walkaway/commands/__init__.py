"""What a person can tell a project, as values: every surface renders the same ones."""

from walkaway.commands import answer, new

COMMANDS = (new.COMMAND, answer.COMMAND)
