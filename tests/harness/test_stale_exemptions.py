"""An exemption that nothing needs fails a run, if all tests that could need it have run."""

from __future__ import annotations

import pytest

EXEMPTIONS = {
    "query-budget": ["GET /items", "GET /gone"],
    "query-without-index": ["GET /gone public.item(name)"],
    "drop-column": ["public.item.gone"],
}
STALE_IN_API = ["query-budget:GET /gone", "query-without-index:GET /gone public.item(name)"]

NEEDED = """
import pytest
from harness.api.rules import query_budget
from harness.findings import Finding

def test_needs_it(judge):
    judge("api", [Finding(query_budget.rule, "GET /items", "too many")])

def test_next():
    pass

@pytest.mark.slow
def test_slow():
    pass

@pytest.mark.skip(reason="never runs")
def test_skipped():
    pass
"""
PASSES = "def test_passes(): pass"
FAILS = "def test_fails(): assert False"

SHARD = """
pytest_plugins = ["harness.plugin"]

def pytest_collection_modifyitems(items):
    items[:] = items[:-1]
"""


@pytest.fixture
def exempting(project: pytest.Pytester) -> pytest.Pytester:
    """A project with a needed exemption and stale ones, and tests in the three suites and outside of them."""
    made = [
        f'{{ rule = "{rule}", object = "{place}", reason = "kept until the next release" }}'
        for rule, places in EXEMPTIONS.items()
        for place in places
    ]
    path = project.path / "pyproject.toml"
    both = "supported = [15, 18]"
    path.write_text(path.read_text().replace(both, f"{both}\nexemptions = [{', '.join(made)}]"))
    suites = {f"tests/{suite}/test_{suite}": PASSES for suite in ("migrations", "schema", "other")}
    project.makepyfile(**{"tests/api/test_it": NEEDED, "tests/api/test_more": PASSES, **suites})
    return project


def stale(project: pytest.Pytester, *arguments: str, workers: bool = False) -> list[str]:
    """Run pytest, and return the exemptions that it calls stale, by which it fails."""
    result = (project.runpytest_subprocess if workers else project.runpytest_inprocess)(*arguments)
    named = [line.partition("stale-exemption: ")[2] for line in result.outlines if "stale-exemption: " in line]
    assert all(line.endswith(" at pyproject.toml") for line in named)
    assert result.ret == pytest.ExitCode.TESTS_FAILED or not named
    return [line.removesuffix(" at pyproject.toml") for line in named]


def test_the_whole_run_names_what_no_suite_needs(exempting: pytest.Pytester) -> None:
    """Each stale exemption once, whichever suite judges its rule."""
    assert stale(exempting) == [*STALE_IN_API, "drop-column:public.item.gone"]


@pytest.mark.parametrize(
    "arguments", [["tests/api"], ["tests/api", "-m", "not slow"], ["tests/api", "--ignore=tests/schema"]]
)
def test_the_run_of_a_suite_names_what_that_suite_does_not_need(
    exempting: pytest.Pytester, arguments: list[str]
) -> None:
    """The session `api` finds what no request needs, and says nothing of the migrations."""
    assert stale(exempting, *arguments) == STALE_IN_API


def test_the_migrations_judge_exemptions_of_their_rules(exempting: pytest.Pytester) -> None:
    """As the session `migrations` runs them."""
    assert stale(exempting, "tests/migrations") == ["drop-column:public.item.gone"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["tests/other"],
        ["tests/schema"],
        ["tests", "--ignore=tests/api", "--ignore=tests/migrations"],
        ["tests/api", "--ignore=tests/api/test_more.py"],
        ["tests/api", "--ignore-glob=*/test_more.py"],
        ["tests/api", "--deselect=tests/api/test_it.py::test_next"],
        ["tests/api", "-k", "needs"],
        ["tests/api", "-m", "slow"],
        ["tests/api/test_it.py", "tests/api/test_more.py"],
        ["tests/api/test_it.py::test_needs_it"],
        ["tests/api", "--collect-only"],
        ["tests/api", "--setup-only"],
    ],
    ids=" ".join,
)
def test_a_part_of_a_suite_says_nothing(exempting: pytest.Pytester, arguments: list[str]) -> None:
    """What was not collected, or not run, could need the exemption."""
    assert stale(exempting, *arguments) == []


def test_a_shard_says_nothing(exempting: pytest.Pytester) -> None:
    """A plugin may take tests out without calling that deselected."""
    exempting.makepyfile(**{"tests/conftest": SHARD})
    assert stale(exempting, "tests/api") == []


def test_a_failed_suite_says_nothing(exempting: pytest.Pytester) -> None:
    """The test that failed could have needed the exemption in its next line; a failure elsewhere changes nothing."""
    exempting.makepyfile(**{"tests/other/test_other": FAILS})
    assert stale(exempting) == [*STALE_IN_API, "drop-column:public.item.gone"]
    exempting.makepyfile(**{"tests/api/test_more": FAILS})
    assert stale(exempting) == ["drop-column:public.item.gone"]


def test_a_run_that_stopped_says_nothing(exempting: pytest.Pytester) -> None:
    """With -x the tests after the failure have not run."""
    exempting.makepyfile(**{"tests/a/test_first": FAILS})
    assert stale(exempting, "-x") == []


def test_a_run_of_the_last_failures_says_nothing(exempting: pytest.Pytester) -> None:
    """With --lf files without a failure are not even collected."""
    options = ("-o", "addopts=--strict-markers")
    exempting.makepyfile(**{"tests/api/test_more": FAILS})
    assert stale(exempting, *options, "tests/api") == []
    exempting.makepyfile(**{"tests/api/test_more": PASSES})
    assert stale(exempting, *options, "--lf", "tests/api") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["tests/api"], STALE_IN_API),
        (["tests/api", "-k", "needs"], []),
        (["tests", "--ignore=tests/api", "--ignore=tests/migrations"], []),
    ],
)
def test_workers_judge_together(exempting: pytest.Pytester, arguments: list[str], found: list[str]) -> None:
    """Each worker has run a part; what they have chosen and run is added up."""
    assert stale(exempting, "-n2", *arguments, workers=True) == found
