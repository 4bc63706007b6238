"""Each revision of a history is judged once, whatever the others do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import examples
from harness.catalog import Snapshot
from harness.findings import Finding, Rule
from harness.migrations.cache import ResultCache
from harness.migrations.history import History
from harness.migrations.judge import Judge
from harness.migrations.project import Project
from harness.migrations.result import RevisionResult
from harness.migrations.tracing.scratch_databases import ScratchDatabases
from harness.migrations.verdict import judge_revision
from harness.postgres.server import Cluster
from tests.harness.migrations.workbench import Example, write_example, write_history

pytestmark = pytest.mark.slow

ACCOUNT = Example("CREATE TABLE account (id bigint PRIMARY KEY, note text)", "DROP TABLE account", seed="{}")
ORDERS = Example("CREATE TABLE orders (id bigint PRIMARY KEY)", "DROP TABLE orders", seed="{}")
INDEX = Example("CREATE INDEX account_note ON account (note)", "DROP INDEX account_note", seed="{}")

END_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
"""Ends every other session of the database."""

Chain = Callable[..., list[RevisionResult]]


def revise(upgrade: str, downgrade: str = "") -> Example:
    """A revision without rows by hand."""
    return Example(upgrade, downgrade, seed="{}")


@pytest.fixture
def chain(scratch: ScratchDatabases, tmp_path: Path) -> Chain:
    """Judges a history of these revisions, one after the other."""

    def judged(*examples: Example) -> list[RevisionResult]:
        history = write_history(tmp_path / "project", *examples)
        judge = Judge(history, lambda: scratch, rows=10)
        return [judge.judge(script) for script in history.revisions]

    return judged


def rules(judged: RevisionResult) -> set[str]:
    """The ids of what was found, infos left out."""
    return {finding.rule.id for finding in judged.findings if finding.severity != "info"}


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (revise('raise RuntimeError("not today")'), "revision-fails"),
        (revise("raise SystemExit(3)"), "revision-fails"),
        (revise("CREATE EXTENSION postgis_that_is_not_there"), "revision-fails"),
        (revise("DROP SCHEMA public CASCADE"), "revision-fails"),
        (
            revise('with op.get_context().autocommit_block():\n    op.execute("DROP SCHEMA public CASCADE")'),
            "revision-fails",
        ),
        (revise("CREATE TABLE late (id bigint)\nCOMMIT"), "transaction-control"),
        (revise(END_ALL), "not-judged"),
    ],
)
def test_the_next_revision_is_judged_after_a_broken_one(chain: Chain, broken: Example, rule: str) -> None:
    """One that raises, ends the process, lacks an extension, drops the schema or commits by itself stops nobody."""
    first, second, third = chain(ACCOUNT, broken, INDEX)
    assert not rules(first)
    assert rule in rules(second)
    assert rules(third) == {"index-build-blocking"}


def test_a_revision_that_waits_for_itself_is_stopped(chain: Chain) -> None:
    """It is cancelled after some seconds, the finding says who waited for whom, and the next revision is judged."""
    waits = """
        LOCK TABLE account IN ACCESS EXCLUSIVE MODE
        with sa.create_engine(op.get_bind().engine.url, poolclass=sa.NullPool).begin() as other:
            other.execute(sa.text("SELECT count(*) FROM account"))
    """
    _, second, third = chain(ACCOUNT, revise(waits), INDEX)
    hung = next(finding for finding in second.findings if finding.rule.id == "revision-hangs")
    assert "SELECT count(*) FROM account" in hung.message
    assert "LOCK TABLE" in hung.message
    assert rules(third) == {"index-build-blocking"}


def test_a_revision_on_a_broken_one_is_not_blamed(chain: Chain) -> None:
    """What needs a table that a broken revision should have made is not judged, and says so."""
    broken = revise('raise RuntimeError("not today")')
    _, third = chain(broken, revise("ALTER TABLE account ADD COLUMN nick text"))
    assert rules(third) == {"not-judged"}
    assert "0001" in third.findings[0].message


@pytest.mark.parametrize("example", examples.examples_of("not-judged"), ids=lambda item: item.id)
def test_what_cannot_be_judged_is_said(chain: Chain, example: examples.Example) -> None:
    """A revision on a broken one, and one that ends the sessions that watch it; any other is judged."""
    below = revise(example.fields["below"]) if "below" in example.fields else ACCOUNT
    *_, judged = chain(below, revise(example.code, example.fields.get("downgrade", "")))
    assert rules(judged) == ({"not-judged"} if example.breaks else set())


def test_a_missing_extension_is_named(chain: Chain) -> None:
    """The finding names the extension and says what to do."""
    (judged,) = chain(revise("CREATE EXTENSION postgis_that_is_not_there"))
    assert 'extension "postgis_that_is_not_there" is not available' in judged.findings[0].message
    assert re.search(r"apt install postgresql-\d+-postgis-3", judged.findings[0].fix)


def test_branches_and_merges_are_judged(scratch: ScratchDatabases, tmp_path: Path) -> None:
    """Two branches and the revision that joins them, each on its own base."""
    history = write_history(tmp_path / "project")
    write_example(history.root, "root", None, ACCOUNT)
    write_example(history.root, "left", "root", ORDERS)
    write_example(history.root, "right", "root", INDEX)
    write_example(history.root, "join", ("left", "right"), Example("", "", seed="{}"))
    judge = Judge(history, lambda: scratch, rows=10)
    judged = {script.revision: judge.judge(script) for script in history.revisions}
    assert next(iter(judged)) == "root"
    assert list(judged)[-1] == "join"
    assert rules(judged["right"]) == {"index-build-blocking"}
    assert not rules(judged["left"]) | rules(judged["join"])


def test_any_revision_can_be_asked_for_in_any_order(scratch: ScratchDatabases, tmp_path: Path) -> None:
    """Workers of one run judge what they are given."""
    history = write_history(tmp_path / "project", ACCOUNT, INDEX, ORDERS)
    judge = Judge(history, lambda: scratch, rows=10)
    found = [rules(judge.judge(script)) for script in reversed(history.revisions)]
    assert found == [set(), {"index-build-blocking"}, set()]


def test_tables_that_the_revision_makes_are_exempt_by_identity(chain: Chain) -> None:
    """A new table under an old one's name is new: it may be scanned and locked, the old one's end is a finding."""
    swap = revise(
        "ALTER TABLE account RENAME TO former\nCREATE TABLE account (id bigint PRIMARY KEY, note text)\n"
        "CREATE INDEX account_note ON account (note)",
        "DROP TABLE account\nALTER TABLE former RENAME TO account",
    )
    _, judged = chain(ACCOUNT, swap)
    assert rules(judged) == {"rename-table"}


def test_a_table_that_cannot_be_filled_fails_the_revision(chain: Chain) -> None:
    """The finding names the table and how to give rows by hand."""
    hard = "CREATE TABLE hard (code text PRIMARY KEY CHECK (length(code) = 3 AND length(code) = 4))"
    _, judged = chain(revise(hard, "DROP TABLE hard"), ORDERS)
    (finding,) = judged.findings
    assert finding.rule.id == "not-seeded"
    assert "hard" in finding.message
    assert "seed = " in finding.rule.fix


def test_rows_by_hand_fill_what_the_seeder_cannot(chain: Chain) -> None:
    """`seed` of a revision holds the rows that are there before it."""
    hard = "CREATE TABLE hard (code text PRIMARY KEY CHECK (md5(code) = md5('open sesame')))"
    by_hand = Example(
        "CREATE INDEX hard_code ON hard (lower(code))",
        "DROP INDEX hard_code",
        seed='{"public.hard": [{"code": "open sesame"}]}',
    )
    _, judged = chain(revise(hard, "DROP TABLE hard"), by_hand)
    assert rules(judged) == {"index-build-blocking"}


def test_a_key_taken_by_a_seeded_row_is_a_warning(chain: Chain) -> None:
    """Production need not have that row: the finding says how to give the table's rows by hand."""
    _, judged = chain(ACCOUNT, revise("INSERT INTO account (id, note) VALUES (1, 'a'), (2, 'b')"))
    (finding,) = judged.findings
    assert (finding.rule.id, finding.severity) == ("fails-on-existing-data", "warning")
    assert "seed = " in finding.fix


def test_a_materialized_view_without_data_hinders_nobody(chain: Chain) -> None:
    """It cannot be read, so it is not."""
    view = "CREATE MATERIALIZED VIEW notes AS SELECT note FROM account WITH NO DATA"
    assert [rules(item) for item in chain(ACCOUNT, revise(view, "DROP MATERIALIZED VIEW notes"), ORDERS)] == [set()] * 3


def test_an_exemption_covers_its_finding_and_a_stale_one_fails(
    chain: Chain, tmp_path: Path, scratch: ScratchDatabases
) -> None:
    """Exemptions are in the revision file, each for one rule and one object."""
    history = write_history(tmp_path / "exempt", ACCOUNT, INDEX)
    path = Path(history.revisions[1].path)
    reason = "the table holds forty rows in production"
    exemptions = {"index-build-blocking:public.account.account_note": reason, "drop-table:public.account": reason}
    path.write_text(path.read_text(encoding="utf-8") + f"\nexemptions = {exemptions!r}\n", encoding="utf-8")
    script = history.revisions[1]
    result = Judge(history, lambda: scratch, rows=10).judge(script)
    verdict = judge_revision(Project(history, None), script, result)
    assert [item.object for _, item in verdict.exempted] == ["public.account.account_note"]
    assert [item.object for item in verdict.failing] == ["drop-table:public.account"]


@pytest.mark.parametrize("seed", ["{}", "{'public.account': [{'nothing': 1}]}"])
def test_an_exemption_is_not_stale_before_its_revision_runs(
    seed: str, tmp_path: Path, scratch: ScratchDatabases
) -> None:
    """A revision that fails, or whose rows cannot be written, has not met what its exemption is for."""
    upgrade = "CREATE INDEX account_note ON account (note)" if seed != "{}" else "ALTER TABLE acount ADD age int"
    history = write_history(tmp_path / "exempt", ACCOUNT, Example(upgrade, "SELECT 1", seed=seed))
    script = history.revisions[1]
    exemptions = {"truncate:public.account": "the table is filled again at night"}
    text = Path(script.path).read_text(encoding="utf-8")
    Path(script.path).write_text(f"{text}\nexemptions = {exemptions!r}\n", encoding="utf-8")
    result = Judge(history, lambda: scratch, rows=10).judge(script)
    verdict = judge_revision(Project(history, None), script, result)
    assert verdict.failing
    assert "stale-exemption" not in {item.rule.id for item in verdict.failing}


def test_schema_rules_judge_what_the_revision_makes(scratch: ScratchDatabases, tmp_path: Path) -> None:
    """A rule of design keeps its severity, and names the revision that made the object, and only there."""
    named = Rule("table-named-account", "error", "No table is called account", "why not", "call it otherwise")

    def design(snapshot: Snapshot) -> list[Finding]:
        return [Finding(named, item.qualified, "it is") for item in snapshot.roots if item.name == "account"]

    history = write_history(tmp_path / "project", ACCOUNT, ORDERS)
    judge = Judge(history, lambda: scratch, rows=10, schema_rules=design)
    first, second = (judge.judge(script) for script in history.revisions)
    assert [(item.rule.id, item.severity) for item in first.findings] == [("table-named-account", "error")]
    assert not second.findings


def test_what_has_not_changed_is_not_traced_again(scratch: ScratchDatabases, cluster: Cluster, tmp_path: Path) -> None:
    """The second run starts no server, says so, and finds the same; a change below is a change."""
    folder = tmp_path / "project"
    history = write_history(folder, ACCOUNT, INDEX)
    first = [_judge(history, cluster, tmp_path, lambda: scratch).judge(script) for script in history.revisions]

    def start() -> ScratchDatabases:
        raise AssertionError("a server was asked for")

    again = _judge(history, cluster, tmp_path, start)
    second = [again.judge(script) for script in history.revisions]
    assert not any(item.cached for item in first)
    assert all(item.cached for item in second)
    assert [_plain(item) for item in second] == [_plain(item) for item in first]
    write_example(folder, "0001", None, revise(ACCOUNT.upgrade + "\nSELECT 1", ACCOUNT.downgrade))
    changed = History(history.config, folder)
    again_judge = _judge(changed, cluster, tmp_path, lambda: scratch)
    assert not any(again_judge.judge(script).cached for script in changed.revisions)


def _judge(history: History, cluster: Cluster, tmp_path: Path, start: Callable[[], ScratchDatabases]) -> Judge:
    return Judge(history, start, 10, None, ResultCache(tmp_path / "cache", history, cluster.installation))


def _plain(judged: RevisionResult) -> dict[str, object]:
    data: dict[str, object] = json.loads(json.dumps(judged.data()))
    return data | {"cached": None}
