"""A failure is short: a finding once in a run, the line of the test, and no frames of libraries."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

RULE = """
import logging

import pytest
from harness.findings import Finding, Rule

RULE = Rule("word-too-long", "error", "Words are short", "nobody reads them", "use another word", suite="schema")
FOUND = [Finding(RULE, "word", "it has 40 letters")]

"""
THREE = """
@pytest.mark.parametrize("number", range(3))
def test_it(judge, number):
    judge("schema", FOUND)
"""
EXPECTED = """
@pytest.mark.xfail
def test_expected(judge):
    judge("schema", FOUND)

def test_counted(judge):
    judge("schema", FOUND)
"""
AGAIN = """
def test_again(judge):
    for _ in range(2):
        with pytest.raises(AssertionError, match="word-too-long"):
            judge("schema", FOUND)
"""
TWO_REVISIONS = """
from dataclasses import replace

@pytest.mark.parametrize("suite", ["migrations", "schema"])
@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_it(judge, suite, revision):
    rule = replace(RULE, suite=suite, id=f"{suite}-rule")
    judge(suite, [replace(FOUND[0], rule=rule, revision=revision)])
"""
LOGGING = """
def test_quiet(judge):
    logging.getLogger("app").warning("a request was answered")
    judge("schema", FOUND)

def test_in_trouble(judge):
    logging.getLogger("app").error("it has failed")
    judge("schema", [Finding(RULE, "another", "it has 50 letters")])
"""
LIBRARIES = """
import httpx
import pytest

def insert(connection):
    connection.execute("INSERT INTO item (nme) VALUES ('a')")

def test_of_a_driver(connection):
    insert(connection)

def test_of_a_client():
    httpx.get("http://127.0.0.1:1", trust_env=False)
"""


def run(project: pytest.Pytester, body: str, *arguments: str, workers: bool = False) -> pytest.RunResult:
    """Run pytest on one file of tests."""
    project.makepyfile(**{"tests/test_it": RULE + body})
    return (project.runpytest_subprocess if workers else project.runpytest_inprocess)(*arguments)


def test_a_finding_fails_the_first_test_that_meets_it(project: pytest.Pytester) -> None:
    """The others pass if nothing else is wrong; the finding is printed once, with their number and how to accept it."""
    result = run(project, THREE)
    result.assert_outcomes(failed=1, passed=2)
    text = result.stdout.str()
    assert text.count("it has 40 letters") == 1
    result.stdout.fnmatch_lines(
        [
            'tests/test_it.py:*: judge("schema", FOUND)',
            "error: word-too-long: word",
            '  or accept it, in [[]tool.harness[]] exemptions: { rule = "word-too-long", object = "word", reason = *}',
            "  and 2 more tests (-v names them)",
        ]
    )


def test_the_other_tests_are_named_on_request(project: pytest.Pytester) -> None:
    """With -v."""
    result = run(project, THREE, "-v")
    result.stdout.fnmatch_lines(["  and 2 more tests:", "    tests/test_it.py::test_it[[]1[]]", "    *test_it[[]2[]]"])


def test_the_summary_of_a_ci_run_does_not_repeat_the_finding(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In CI pytest prints messages in full."""
    monkeypatch.setenv("CI", "true")
    result = run(project, THREE, "-rf")
    assert result.stdout.str().count("it has 40 letters") == 1
    result.stdout.fnmatch_lines(["FAILED tests/test_it.py::test_it[[]0[]] - error: word-too-long: word"])


@pytest.mark.slow
def test_workers_print_a_finding_once(project: pytest.Pytester) -> None:
    """Each worker fails its first test, so that none passes because of a failure that another process may not have."""
    body = THREE.replace("range(3)", "range(8)")
    result = run(project, body, "-n2", "--dist=load", "--maxschedchunk=1", workers=True)
    result.assert_outcomes(failed=2, passed=6)
    assert result.stdout.str().count("it has 40 letters") == 1
    result.stdout.fnmatch_lines(["  and 7 more tests (-v names them)", "  shown above, in tests/test_it.py::test_it*"])


def test_a_finding_whose_failure_is_expected_fails_the_run(project: pytest.Pytester) -> None:
    """The tests that counted it passed, and none has failed: the run is not green, and says why."""
    result = run(project, EXPECTED)
    result.assert_outcomes(xfailed=1, passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*findings that failed no test*", "error: word-too-long: word", "  met by: *"])


def test_a_test_that_meets_its_finding_again_fails_again(project: pytest.Pytester) -> None:
    """A second request of the same test, or a second attempt at it, does not pass."""
    run(project, AGAIN).assert_outcomes(passed=1)


def test_revisions_fail_each_for_itself(project: pytest.Pytester) -> None:
    """A hazard of two revisions is two findings; a fault of the schema is one, whichever revision made it."""
    run(project, TWO_REVISIONS).assert_outcomes(failed=3, passed=1)


def test_the_log_is_shown_where_it_has_an_error(project: pytest.Pytester) -> None:
    """A finding needs no log of the requests around it."""
    result = run(project, LOGGING)
    result.stdout.no_fnmatch_line("*a request was answered*")
    result.stdout.fnmatch_lines(["*it has failed*"])


def test_an_error_of_a_library_shows_the_lines_of_the_test(project: pytest.Pytester) -> None:
    """Neither the driver nor the HTTP client show their code, unless --full-trace asks for it."""
    result = run(project, LIBRARIES)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*INSERT INTO item (nme)*", 'E *UndefinedColumn: column "nme"*', "E *ConnectError*"])
    for frame in ("*site-packages/*.py*", "*src/harness/*.py*", "*contextlib*", "*direct cause*"):
        result.stdout.no_fnmatch_line(frame)
    run(project, LIBRARIES, "--full-trace").stdout.fnmatch_lines(["*site-packages/httpx/*"])


INTERRUPTED = """
import sys
import time

def test_it(api):
    api.get("/items").raise_for_status()
    print("waiting", file=sys.__stdout__, flush=True)
    time.sleep(60)
"""
BROKEN = """
import pytest

@pytest.mark.parametrize("number", range(2))
def test_it(api, number):
    api.get("/broken").raise_for_status()
"""
FAILING_ROUTE = """
            @app.get("/broken")
            def broken():
                raise LookupError("no such thing")

            return app
"""


@pytest.mark.slow
def test_an_interrupted_run_ends_with_one_line(project: pytest.Pytester) -> None:
    """Ctrl-C in a test of the API: the app, its pool and the server end without a word."""
    project.makepyfile(**{"tests/api/test_it": INTERRUPTED})
    with project.popen([sys.executable, "-m", "pytest", "-s"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
        assert run.stdout
        while b"waiting" not in run.stdout.readline():
            assert run.poll() is None
        run.send_signal(signal.SIGINT)
        rest = [line for line in run.stdout.read().decode().splitlines() if line.strip()]
    assert run.returncode == pytest.ExitCode.INTERRUPTED
    assert rest[0].strip("! ") == "Interrupted", rest
    assert " in " in rest[1], rest
    assert len(rest) == 2, rest


@pytest.mark.slow
def test_an_error_of_the_app_is_logged_with_its_own_frames(project: pytest.Pytester) -> None:
    """The log of a 500 names the line of the app, once in a run, and none of the framework around it."""
    path = project.path / "shop" / "app.py"
    path.write_text(path.read_text().replace("\n    return app\n", FAILING_ROUTE.replace("            ", "    ")))
    project.makepyfile(**{"tests/api/test_it": BROKEN})
    result = project.runpytest_subprocess()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["*the app failed on GET /broken", '*shop/app.py", line *, in broken', "LookupError: *"]
    )
    result.stdout.fnmatch_lines(
        ["LookupError: no such thing (its traceback is shown in tests/api/test_it.py::test_it*"]
    )
    result.stdout.no_fnmatch_line("*starlette*")


@pytest.mark.parametrize("fails", ["judge('schema', FOUND)", "pytest.fail('no example', False)", "raise REFUSED"])
def test_what_rows_do_not_explain_comes_without_the_address_of_a_database(project: pytest.Pytester, fails: str) -> None:
    """A finding, what is missing in the tests; with --keep-db the end of the run lists the database all the same."""
    body = f"""
from harness.errors import HarnessError

REFUSED = HarnessError("no such table", remedy="name another")

def test_it(judge, database):
    {fails}
"""
    run(project, body, "--keep-db").stdout.fnmatch_lines(["*databases kept*", "*psql*"])
    run(project, body).stdout.no_fnmatch_line("*psql*")
