"""An acceptable report of each unit type."""

from collections.abc import Callable, Mapping

REPORTS: Mapping[str, Callable[[str], Mapping[str, object]]] = {
    "plan-milestone": lambda _target: {
        "title": "A tool that adds",
        "vision": "Numbers can be added.",
        "criteria": ["1 + 1 is 2"],
        "slices": [
            {"title": "Library", "goal": "It adds.", "demo": "add(1, 1)"},
            {"title": "Command", "goal": "It is a command.", "demo": "add 1 1", "depends": [1]},
        ],
    },
    "plan-slice": lambda target: {
        "goal": f"{target} works.",
        "must_haves": ["It adds."],
        "tasks": [
            {"title": "Write it", "description": "Write it with tests."},
            {"title": "Round it off", "description": "Handle the edges."},
        ],
    },
    "discuss-milestone": lambda _target: {"summary": "It adds.", "context": "Integers.", "assumptions": ["No sum."]},
    "discuss-project": lambda _target: {
        "summary": "A tool that adds.",
        "what": "It adds numbers.",
        "value": "Sums are right.",
        "complexity": "simple",
        "why": "One user.",
        "state": "Nothing.",
        "architecture": "A library and a command.",
        "milestones": ["It adds"],
    },
    "discuss-requirements": lambda _target: {
        "summary": "It adds.",
        "requirements": [
            {"description": "It adds.", "kind": "core-capability", "why": "Sums.", "acceptance": "1 + 1 is 2"}
        ],
    },
    "research-decision": lambda _target: {"reason": "Adding may overflow.", "verdict": "research"},
    "research-project": lambda _target: {
        "summary": "Little is known.",
        **{part: {"findings": f"- {part}: integers."} for part in ("stack", "features", "architecture")},
        "pitfalls": {"blocker": "Nobody adds here."},
    },
    "research-milestone": lambda _target: {"summary": "There is little.", "findings": "- `README` alone."},
    "research-slice": lambda target: {"summary": "Little.", "findings": f"- nothing of {target}"},
    "research-slices": lambda target: {
        "slices": [{"slice": "S01", "summary": "Little.", "findings": f"- nothing of {target}/S01"}]
    },
    "replan-slice": lambda _target: {"reason": "It was wrong.", "tasks": [{"title": "Other", "description": "Way."}]},
    "triage-captures": lambda _target: {"captures": []},
    "rewrite-docs": lambda _target: {"summary": "The plans say so."},
    "run-uat": lambda _target: {"verdict": "pass", "steps": ["added 1 and 1"], "summary": "It adds."},
    "reassess-roadmap": lambda _target: {"verdict": "confirmed", "summary": "As planned."},
    "execute-task": lambda target: {"summary": f"Did {target}", "narrative": "As planned."},
    "review-step": lambda _target: {"verdict": "pass", "summary": "It does what it should."},
    "complete-slice": lambda target: {"summary": f"{target} is there."},
    "evaluate-gate": lambda _target: {
        "gates": [
            {"gate": "Q3", "verdict": "omitted"},
            {"gate": "Q4", "verdict": "flag", "findings": "Sums must stay whole numbers."},
        ],
    },
    "validate-milestone": lambda _target: {
        "verdict": "pass",
        "criteria": ["met"],
        "rationale": "I ran it.",
        "gates": [{"gate": f"MV0{n}", "verdict": "pass", "findings": "I ran it."} for n in range(1, 5)],
    },
    "complete-milestone": lambda _target: {"summary": "The tool adds numbers."},
    "resolve-conflict": lambda target: {
        "summary": "Both wrote it.",
        "resolved": [{"file": f"{target}/S01/T01.py", "how": "Both are in it."}],
    },
}
