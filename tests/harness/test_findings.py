"""Findings and exemptions add up to a verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

import harness.schema.rules  # noqa: F401 - registers the rules
from harness.findings import Exemption, Finding, Rule
from harness.rules import judge
from harness.wording import plural

BROKEN = Rule("table-without-key", "error", "A table has a key", "rows cannot be distinguished", "add a primary key")
ODD = Rule("column-odd", "warning", "A column is even", "it reads badly", "rename it")
REASON = "kept for the importer, see the decision of May"


def test_an_error_fails_and_a_warning_is_only_shown() -> None:
    """Without `strict` a warning never fails a build."""
    verdict = judge([Finding(BROKEN, "public.a", "no key"), Finding(ODD, "public.a.x", "odd")])
    assert [finding.object for finding in verdict.failing] == ["public.a"]
    assert [finding.object for finding in verdict.shown] == ["public.a.x"]


def test_a_strict_project_fails_on_warnings_too() -> None:
    """`strict = true` turns each warning into a failure, and leaves an info alone."""
    info = Finding(BROKEN, "public.b", "by the way", level="info")
    verdict = judge([Finding(ODD, "public.a.x", "odd"), info], strict=True)
    assert [finding.object for finding in verdict.failing] == ["public.a.x"]
    assert verdict.shown == (info,)


def test_an_exemption_covers_one_rule_on_one_object() -> None:
    """The same rule on another object still fails."""
    exemption = Exemption("table-without-key", "public.a", REASON)
    verdict = judge([Finding(BROKEN, "public.a", "no key"), Finding(BROKEN, "public.b", "no key")], [exemption])
    assert [finding.object for finding in verdict.failing] == ["public.b"]
    assert [(finding.object, item) for finding, item in verdict.exempted] == [("public.a", exemption)]


def test_an_exemption_that_nothing_needs_any_more_fails() -> None:
    """A stale exemption is an error that names it, so that the list never outlives its reasons."""
    verdict = judge([], [Exemption("table-without-primary-key", "public.gone", REASON)])
    assert not verdict.clean
    assert "stale-exemption: table-without-primary-key:public.gone" in str(verdict)
    assert f"nothing breaks this rule there ({REASON})" in str(verdict)


def test_a_misspelt_rule_is_named_with_the_nearest() -> None:
    """To hear that nothing breaks the rule would send a person to the wrong place; the file is the one to edit."""
    verdict = judge([], [Exemption("tabel-without-primary-key", "public.gone", REASON, "pyproject.toml")])
    assert "error: stale-exemption: tabel-without-primary-key:public.gone at pyproject.toml\n" in str(verdict)
    assert "no rule is called tabel-without-primary-key: did you mean table-without-primary-key?" in str(verdict)


def test_an_exemption_that_other_findings_may_need_is_not_stale() -> None:
    """Where only a part is judged, the project's exemptions cover what is there and are not missed otherwise."""
    other = Exemption("column-odd", "public.b", REASON)
    verdict = judge([Finding(BROKEN, "public.a", "no key")], [], [Exemption(BROKEN.id, "public.a", REASON), other])
    assert verdict.clean
    assert [item.object for _, item in verdict.exempted] == ["public.a"]


@pytest.mark.parametrize("place", ["public.*", "public.%", "public.tabl?"])
def test_an_exemption_with_a_wildcard_is_refused(place: str) -> None:
    """One exemption never silences two places."""
    with pytest.raises(ValueError, match="wildcards are not allowed"):
        Exemption("table-without-key", place, REASON)


def test_an_exemption_without_a_reason_is_refused() -> None:
    """A reason of a word or two is none."""
    with pytest.raises(ValueError, match="the reason 'legacy' is too short"):
        Exemption("table-without-key", "public.a", "legacy")


def test_the_place_of_a_finding_ends_its_first_line() -> None:
    """File and line as a terminal opens them; a line without its file says nothing."""
    finding = Finding(BROKEN, "public.a", "it has none", file="src/shop/models.py", line=7)
    assert str(finding).splitlines()[0] == "error: table-without-key: public.a at src/shop/models.py:7"
    assert replace(finding, line=None).place == "src/shop/models.py"
    assert replace(finding, file=None).place == ""


def test_a_finding_reads_severity_rule_object_values_why_and_fix() -> None:
    """What a developer sees names the object first and ends with code to paste."""
    finding = Finding(BROKEN, "public.a", "has columns x, y and no key", fix="op.create_primary_key(...)")
    assert str(finding).splitlines() == [
        "error: table-without-key: public.a",
        "  has columns x, y and no key",
        "  why: rows cannot be distinguished",
        "  fix: op.create_primary_key(...)",
    ]


def test_a_finding_says_where_it_is_exempted() -> None:
    """In the project; for a hazard in the revision, for the design of a revision in either; or nowhere."""
    hazard = replace(BROKEN, suite="migrations")
    assert Finding(BROKEN, "public.a", "no key").exemption == (
        'in [tool.harness] exemptions: { rule = "table-without-key", object = "public.a", reason = "…" }'
    )
    stated = 'in its file: exemptions = {"table-without-key:public.a": "…"}'
    assert Finding(hazard, "public.a", "no key", revision="0001", file="0001.py").exemption == stated
    design = Finding(replace(BROKEN, suite="schema"), "public.a", "no key", revision="0001", file="0001.py")
    assert design.exemption.splitlines()[1].endswith(f"if a later revision repairs it, {stated}")
    for none in (
        Finding(replace(BROKEN, exempt=False), "public.a", "no key"),
        Finding(BROKEN, "public.50%", "no key"),
        Finding(hazard, "public.a", "no key", revision="0001"),
    ):
        assert none.exemption == ""
        assert none.text == str(none)


def test_a_printed_statement_is_one_line() -> None:
    """However long and however it was written."""
    text = str(Finding(BROKEN, "public.a", "no key", statement="SELECT\n" + "  a,\n" * 1000))
    assert len(text.splitlines()) == 5
    assert text.splitlines()[3].endswith(" …")


@pytest.mark.parametrize(("number", "text"), [(0, "0 queries"), (1, "1 query"), (2, "2 queries")])
def test_a_number_agrees_with_its_noun(number: int, text: str) -> None:
    """Also where the plural does not just end in s."""
    assert plural(number, "query", "queries") == text
    assert plural(number, "row") == ("1 row" if number == 1 else f"{number} rows")
