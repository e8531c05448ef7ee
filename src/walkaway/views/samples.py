"""One valid report per kind of unit: what an agent might hand in, for whoever writes a playback script."""

from collections.abc import Mapping

from walkaway.units import (
    complete_milestone,
    complete_slice,
    execute_task,
    plan_milestone,
    plan_slice,
    validate_milestone,
)

SAMPLES: Mapping[str, object] = {
    "plan-milestone": plan_milestone.Report(
        title="Word counter",
        vision="Anyone can count the words of a text file without opening it.",
        criteria=("`wordcount FILE` prints the number of words", "a missing file is an error with a sentence"),
        slices=(
            plan_milestone.PlannedSlice(
                title="Count the words of a text",
                goal="A function counts words; its tests pass.",
                demo="`python -m unittest` shows that words are counted.",
                risk="medium",
            ),
            plan_milestone.PlannedSlice(
                title="Command line",
                goal="The count can be asked for from a shell.",
                demo="`python -m wordcount FILE` prints a number.",
                risk="low",
                depends=(1,),
            ),
        ),
    ),
    "plan-slice": plan_slice.Report(
        goal="A function counts words; its tests pass.",
        must_haves=("`count('a b')` is 2", "empty text counts 0"),
        tasks=(
            plan_slice.PlannedTask(
                title="Write count() with its tests",
                description="Split at white space; write `wordcount.py` and `test_wordcount.py`.",
                files=("wordcount.py", "test_wordcount.py"),
                verify="python -m unittest",
            ),
        ),
    ),
    "execute-task": execute_task.Report(
        summary="count() splits at white space and is tested",
        narrative="Wrote the function and four tests; empty and blank texts count 0.",
        key_files=("wordcount.py", "test_wordcount.py"),
    ),
    "complete-slice": complete_slice.Report(
        summary="wordcount.count(text) exists and is tested. Nothing is fragile.",
        shown=("test_wordcount.py shows both must-haves",),
    ),
    "validate-milestone": validate_milestone.Report(
        verdict="pass",
        criteria=("ran it on a file of three words: 3", "ran it without a file: exit 1 and a sentence"),
        rationale="Both criteria were seen to hold.",
    ),
    "complete-milestone": complete_milestone.Report(
        summary="Words of a text file can be counted with `python -m wordcount FILE`."
    ),
}
"""Kind -> a report that its schema and its check accept."""
