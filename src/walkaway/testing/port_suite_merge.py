"""Conformance of a workspace where the work and its target do not fit: what a unit that resolves it starts from."""

from walkaway.core.ids import NO_SHA, Sha
from walkaway.testing.port_suite import lease, sealed, tip
from walkaway.testing.repository import Site

__all__ = ["TestMergePort"]

MARKED = "<<<<<<< "


def torn(site: Site) -> tuple[Sha, Sha]:
    """Return work and a tip of the target that both changed ``a.txt``, and each a file of its own."""
    work = sealed(site, {"a.txt": "ours\n", "b.txt": "b\n"})
    return work, site.move("main", {"a.txt": "theirs\n", "c.txt": "c\n"})


class TestMergePort:
    def test_both_sides_lie_in_the_directory_with_markers_where_they_do_not_fit(self, site: Site) -> None:
        work, theirs = torn(site)
        merged = site.workspace.merged(work, theirs)
        assert tip(site) == theirs, "nothing moves"
        checkout = site.workspace.prepare(lease(2), work, merged)
        files = site.files(checkout.path)
        assert sorted(files) == ["a.txt", "b.txt", "c.txt"]
        assert MARKED in files["a.txt"]
        assert all(side in files["a.txt"] for side in ("ours\n", "theirs\n"))
        assert checkout.base == work

    def test_what_git_can_merge_has_no_marker(self, site: Site) -> None:
        work = sealed(site, {"b.txt": "b\n"})
        merged = site.workspace.merged(work, site.move("main", {"c.txt": "c\n"}))
        assert site.workspace.marked(merged, ("a.txt", "b.txt", "c.txt")) == ()

    def test_the_files_with_markers_are_named_among_those_that_were_asked_about(self, site: Site) -> None:
        merged = site.workspace.merged(*torn(site))
        assert site.workspace.marked(merged, ("a.txt", "b.txt", "gone.txt")) == ("a.txt",)
        assert site.workspace.marked(merged, ("b.txt",)) == ()

    def test_a_line_that_is_no_marker_is_none(self, site: Site) -> None:
        work = sealed(site, {"b.txt": "=======\n<<<<<<<<<<\n"})
        assert site.workspace.marked(work, ("b.txt",)) == ()

    def test_what_happened_on_the_target_is_told_and_not_what_was_known(self, site: Site) -> None:
        work, theirs = torn(site)
        told = site.workspace.told(work, theirs)
        assert "Somebody else's work" in told
        assert "Begin" not in told
        assert "Do it" not in told

    def test_a_resolution_is_a_merge_on_the_line_and_its_integration_applies(self, site: Site) -> None:
        work, theirs = torn(site)
        checkout = site.workspace.prepare(lease(2), work, site.workspace.merged(work, theirs))
        site.write(checkout.path, "a.txt", "both\n")
        made = site.workspace.seal(checkout, "resolve-conflict M001\n\nWalkaway-Unit: x\n", work=True, onto=theirs)
        seen = site.see(made)
        assert (seen[0].parent, seen[0].other) == (work, theirs)
        assert seen[0].message.startswith("resolve-conflict M001")
        assert dict(seen[0].files) == {"a.txt": "both\n", "b.txt": "b\n", "c.txt": "c\n"}
        later = site.move("main", {"d.txt": "d\n"})
        whole = site.see(site.workspace.integrate(later, made, "M001\n"))[0]
        assert whole.parent == later
        assert dict(whole.files) == {"a.txt": "both\n", "b.txt": "b\n", "c.txt": "c\n", "d.txt": "d\n"}

    def test_the_next_unit_goes_on_from_a_merge_as_from_any_commit(self, site: Site) -> None:
        work, theirs = torn(site)
        checkout = site.workspace.prepare(lease(2), work, site.workspace.merged(work, theirs))
        site.write(checkout.path, "a.txt", "both\n")
        made = site.workspace.seal(checkout, "x\n\nWalkaway-Unit: x\n", work=True, onto=theirs)
        again = site.workspace.prepare(lease(2), made, NO_SHA)
        site.write(again.path, "e.txt", "e\n")
        last = site.see(site.workspace.seal(again, "y\n\nWalkaway-Unit: y\n", work=True))
        assert [c.sha for c in last[:3]] == [last[0].sha, made, work]
        assert last[0].other == NO_SHA
