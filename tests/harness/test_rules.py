"""One catalogue: every rule of every suite is in it, complete, with examples of both kinds."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest

from harness import rules
from harness.__main__ import main
from harness.catalog import Snapshot
from harness.errors import HarnessError
from harness.examples import Example, examples_of, read_examples
from harness.findings import Exemption, Finding
from harness.rules import Breach, Check, catalogue, judge, named, rule
from harness.rules_command import every_rule

CATALOGUE = every_rule()


@pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: check.id)
def test_every_rule_has_an_example_that_breaks_it_and_one_that_does_not(check: Check[object]) -> None:
    """A rule without a violating and a clean example is not finished."""
    assert {example.breaks for example in examples_of(check.id)} == {True, False}


def test_every_example_is_of_a_rule_that_exists() -> None:
    """No example is left behind by a rule that is gone; of a schema rule it names what is found, and only then."""
    assert {example.rule for example in read_examples()} <= {check.id for check in CATALOGUE}
    for check in catalogue("schema", "catalogue"):
        assert all(("at" in example.fields) is example.breaks for example in examples_of(check.id))
    ids = [example.id for example in read_examples()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: check.id)
def test_every_rule_says_what_it_finds_why_and_how_to_repair_it(check: Check[object]) -> None:
    """Written for a reader who meets the rule for the first time."""
    assert len(check.rule.title) > 10
    assert len(check.rule.why) > 30
    assert len(check.rule.fix) > 2
    assert check.finds
    assert check.rule.suite
    assert check.rule.needs


@pytest.mark.parametrize("example", examples_of("stale-exemption"), ids=lambda example: example.id)
def test_an_exemption_that_covers_nothing_is_found(example: Example) -> None:
    """Of a schema in which one column has a limit of length, by its name."""
    varchar = named("column-varchar-n").rule
    exemptions = [Exemption(**item) for item in tomllib.loads(example.code)["exemptions"]]
    verdict = judge([Finding(varchar, "public.users.country", "varchar(2)", level="info")], exemptions)
    assert [item.rule.id for item in verdict.failing] == (["stale-exemption"] if example.breaks else [])


def test_a_check_must_say_what_it_takes() -> None:
    """The suite of a rule is known by the type of its check's first argument."""

    def odd(number: int) -> Iterator[Breach]:
        """Find odd numbers.

        Why: they read badly
        Fix: add one
        """
        yield Breach("a", "b")

    with pytest.raises(ValueError, match="'odd-rule' must be one of Snapshot, "):
        rule("odd-rule", "error", "A number is even")(odd)
    assert "odd-rule" not in rules._CATALOGUE


def test_a_check_must_say_why_and_how_to_fix_it() -> None:
    """A rule without a reason or a fix cannot be declared."""

    def odd(snapshot: Snapshot) -> Iterator[Breach]:
        """Find odd numbers."""
        yield Breach("a", "b")

    with pytest.raises(ValueError, match="'odd-rule' must have a line Why: and then a line Fix:"):
        rule("odd-rule", "error", "A number is even")(odd)
    assert "odd-rule" not in rules._CATALOGUE


def test_an_unknown_rule_is_an_error_with_the_nearest() -> None:
    """The error for a mistyped id names the nearest one."""
    with pytest.raises(HarnessError, match=r"no rule 'table-rewritten'(?s:.)*table-rewrite"):
        named("table-rewritten")


def test_the_command_lists_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a rule, grouped by suite: id, severity, title."""
    assert main(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for check in CATALOGUE:
        [line] = [line for line in lines if line.split()[:1] == [check.id]]
        assert line.endswith(check.rule.title)


@pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: check.id)
def test_the_command_explains_a_rule(check: Check[object], capsys: pytest.CaptureFixture[str]) -> None:
    """Title, severity, suite, what is needed, why, fix, and an example of each kind."""
    assert main(["rules", check.id]) == 0
    text = capsys.readouterr().out
    for part in (check.rule.title, check.rule.severity, check.rule.suite, check.rule.why, check.rule.fix):
        assert part in text
    bad, good = (examples_of(check.id, breaks=breaks)[0] for breaks in (True, False))
    assert bad.code.strip().splitlines()[0] in text
    assert good.code.strip().splitlines()[-1] in text


def test_the_command_ends_with_two_for_an_unknown_rule(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing on stdout, the nearest ids on stderr."""
    assert main(["rules", "table-rewritten"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "table-rewrite" in err
