"""What a report has to look like, in words and in a schema."""

import json
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from tests.engine.conftest import NewStore
from walkaway.core.brief import Brief
from walkaway.core.model import Policy
from walkaway.core.unit import find
from walkaway.engine.desk import dumps_schema
from walkaway.engine.result import RunOptions, Status
from walkaway.testing.fakes import Turn
from walkaway.testing.repository import GitRepository
from walkaway.testing.world import World, good_turn, one_slice
from walkaway.units import UNITS
from walkaway.verify import ProjectChecks


def test_a_schema_has_no_titles_but_keeps_a_property_of_that_name() -> None:
    schema = json.loads(dumps_schema(TypeAdapter(find(UNITS, "plan-milestone").report).json_schema()))

    assert "title" not in schema
    assert schema["properties"]["title"] == {"type": "string"}
    assert '"title":"' not in dumps_schema(schema)


def test_a_schema_that_is_no_object_stays_as_it_is() -> None:
    assert dumps_schema({"properties": True, "anyOf": [{"title": "A"}, 1]}) == '{"properties":true,"anyOf":[{},1]}'


def test_a_report_with_half_a_character_is_refused_in_words(world: World) -> None:
    world.script = lambda brief: replace(good_turn(brief), reports=[{"summary": "\ud800"}, *good_turn(brief).reports])
    world.run(RunOptions(units=1))

    assert "does not fit" in world.agents[0].answers[0]


def test_a_nul_in_a_report_reaches_neither_the_database_nor_git(new_store: NewStore, tmp_path: Path) -> None:
    site = GitRepository(tmp_path / "project", tmp_path / "state", {"README": "x\n"})

    def script(brief: Brief) -> Turn:
        turn = one_slice(brief)
        report = dict(turn.reports[0])
        return replace(turn, reports=[report | {"summary": "x\x00y"}] if "summary" in report else turn.reports)

    policy = Policy(checks=("true",))
    world = World(new_store(), tmp_path / "state", script=script, site=site, verifier=ProjectChecks(), policy=policy)

    assert world.run().status is Status.COMPLETE
    assert {task.summary for task in world.snapshot().tasks.values()} == {"x\N{SYMBOL FOR NULL}y"}
    assert "x\N{SYMBOL FOR NULL}y" in site.see("refs/heads/main")[0].message
