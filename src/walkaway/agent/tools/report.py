"""The one call that every unit ends with; its parameters are the unit's own, so it is no `Tool`."""

NAME = "report"
DESCRIPTION = (
    "Hand in your report, once, when the work is done. If it is refused, mend what the answer names and report again."
)
