"""One valid report per kind of unit: what an agent might hand in, for whoever writes a playback script."""

from collections.abc import Mapping

from walkaway.units import (
    complete_milestone,
    complete_slice,
    cutting,
    discuss_milestone,
    discuss_project,
    discuss_requirements,
    evaluate_gate,
    execute_task,
    plan_milestone,
    plan_slice,
    quality,
    reassess_roadmap,
    replan_slice,
    research_decision,
    research_milestone,
    research_project,
    research_slices,
    resolve_conflict,
    review_step,
    rewrite_docs,
    run_uat,
    triage_captures,
    validate_milestone,
)

SAMPLES: Mapping[str, object] = {
    "plan-milestone": plan_milestone.Report(
        title="Word counter",
        vision="Anyone can count the words of a text file without opening it.",
        criteria=("`wordcount FILE` prints the number of words", "a missing file is an error with a sentence"),
        slices=(
            cutting.PlannedSlice(
                title="Count the words of a text",
                goal="A function counts words; its tests pass.",
                demo="`python -m unittest` shows that words are counted.",
                risk="medium",
            ),
            cutting.PlannedSlice(
                title="Command line",
                goal="The count can be asked for from a shell.",
                demo="`python -m wordcount FILE` prints a number.",
                risk="low",
                depends=(1,),
                sketch=True,
            ),
            cutting.PlannedSlice(
                title="Manual",
                goal="The README says how to count.",
                demo="One reads it and counts.",
                risk="low",
                depends=(2,),
            ),
        ),
    ),
    "plan-slice": plan_slice.Report(
        goal="A function counts words; its tests pass.",
        must_haves=("`count('a b')` is 2", "empty text counts 0"),
        tasks=(
            cutting.PlannedTask(
                title="Write count() with its tests",
                description="Split at white space; write `wordcount.py` and `test_wordcount.py`.",
                files=("wordcount.py", "test_wordcount.py"),
                verify="python -m unittest",
            ),
        ),
    ),
    "review-step": review_step.Report(verdict="pass", summary="Each page is listed once."),
    "execute-task": execute_task.Report(
        summary="count() splits at white space and is tested",
        narrative="Wrote the function and four tests; empty and blank texts count 0.",
        key_files=("wordcount.py", "test_wordcount.py"),
    ),
    "discuss-milestone": discuss_milestone.Report(
        summary="A command that counts the words of one text file, and nothing else.",
        context="A word is what stands between white space. One file at a time; a missing one is an error.",
        assumptions=("Files are UTF-8; others are an error.",),
        questions=("Are numbers words? Assumed: yes.",),
    ),
    "discuss-project": discuss_project.Report(
        summary="A command that counts the words of text files.",
        what="A small command line tool: it reads a text file and prints how many words it has.",
        value="One knows the length of a text without opening it.",
        complexity="simple",
        why="One user, no service, nothing kept.",
        state="A README, no code.",
        architecture="A function that counts, and a thin command on top of it.",
        milestones=("Count the words of one file", "Count many files at once"),
        users=("People who write",),
        excluded=("Not an editor",),
        constraints=("Python alone, no dependency",),
        assumptions=("Files are UTF-8; with others one would have to say which.",),
        questions=("Are numbers words? Assumed: yes.",),
    ),
    "discuss-requirements": discuss_requirements.Report(
        summary="It counts words, and it fails with a sentence.",
        requirements=(
            discuss_requirements.Wanted(
                description="A user can print the number of words of a file.",
                kind="core-capability",
                why="It is what the tool is for.",
                acceptance="`wordcount FILE` prints a number.",
                owner="Count the words of one file",
            ),
            discuss_requirements.Wanted(
                description="A user can count many files with one call.",
                kind="differentiator",
                why="Manuscripts are many files.",
                acceptance="`wordcount A B` prints two numbers.",
                owner="Count many files at once",
                status="deferred",
            ),
        ),
    ),
    "research-decision": research_decision.Report(
        reason="Unicode has rules of its own for what a word is.", verdict="research"
    ),
    "research-project": research_project.Report(
        summary="The standard library is enough; what a word is has to be chosen.",
        stack=research_project.Part(findings="- Python 3.11: `str.split()` splits at any white space (known)."),
        features=research_project.Part(findings="- `wc -w` counts words, lines and bytes; users expect words alone."),
        architecture=research_project.Part(findings="- One function and one command; files are read line by line."),
        pitfalls=research_project.Part(blocker="There is no network here to look at what others ran into."),
    ),
    "research-milestone": research_milestone.Report(
        summary="The project is empty but for a README; Python is there, and no packaging.",
        findings="- `README.md` names the command `wordcount`.\n- No tests yet: `unittest` needs no dependency.",
    ),
    "research-slice": research_milestone.Report(
        summary="Nothing to build on yet.",
        findings="- `str.split()` without an argument splits at any white space and gives [] for blank text.",
    ),
    "research-slices": research_slices.Report(
        slices=(
            research_slices.Found(
                slice="S01",
                summary="Nothing to build on yet.",
                findings="- `str.split()` without an argument splits at any white space and gives [] for blank text.",
            ),
            research_slices.Found(
                slice="S02",
                summary="`argparse` is in the standard library.",
                findings="- `sys.stdin` is read as UTF-8 only where the locale says so.",
            ),
        )
    ),
    "refine-slice": plan_slice.Report(
        goal="The count can be asked for from a shell.",
        must_haves=("`python -m wordcount FILE` prints a number",),
        tasks=(cutting.PlannedTask(title="Write the command", description="A `__main__` that reads a file."),),
    ),
    "replan-slice": replan_slice.Report(
        reason="A text may be larger than memory; the new plan counts line by line.",
        tasks=(cutting.PlannedTask(title="Count line by line", description="count() takes an iterable of lines."),),
    ),
    "triage-captures": triage_captures.Report(
        captures=(triage_captures.Sorted(id="M001-N1", verdict="note", reason="It is how the count works already."),)
    ),
    "rewrite-docs": rewrite_docs.Report(summary="The open plans say the same already."),
    "run-uat": run_uat.Report(
        verdict="pass",
        steps=("ran `python -m unittest`: 4 tests pass", "count('a  b') is 2"),
        summary="What was promised holds.",
    ),
    "reassess-roadmap": reassess_roadmap.Report(
        verdict="confirmed", summary="Nothing that was found changes what is ahead."
    ),
    "evaluate-gate": evaluate_gate.Report(
        gates=(
            quality.Answer(
                gate="Q3",
                verdict="flag",
                findings="The path is an argument: say what is done about a folder.",
            ),
            quality.Answer(gate="Q4", verdict="omitted"),
        )
    ),
    "resolve-conflict": resolve_conflict.Report(
        summary="The target gave count an encoding while this milestone made it skip blanks; it does both now.",
        resolved=(resolve_conflict.Resolved(file="wordcount.py", how="count takes an encoding, and skips blanks."),),
    ),
    "complete-slice": complete_slice.Report(
        summary="wordcount.count(text) exists and is tested. Nothing is fragile.",
        shown=("test_wordcount.py shows both must-haves",),
    ),
    "validate-milestone": validate_milestone.Report(
        verdict="pass",
        criteria=("ran it on a file of three words: 3", "ran it without a file: exit 1 and a sentence"),
        rationale="Both criteria were seen to hold.",
        gates=(
            quality.Answer(gate="MV01", verdict="pass", findings="Both criteria hold, as said above."),
            quality.Answer(gate="MV02", verdict="pass", findings="The library and the command are there."),
            quality.Answer(gate="MV03", verdict="pass", findings="The command prints what the library counts."),
            quality.Answer(gate="MV04", verdict="omitted"),
        ),
    ),
    "complete-milestone": complete_milestone.Report(
        summary="Words of a text file can be counted with `python -m wordcount FILE`."
    ),
}
"""Kind -> a report that its schema and its check accept."""
