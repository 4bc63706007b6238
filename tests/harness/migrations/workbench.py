"""Runs small revisions on a real server and returns what the rules find."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import harness.migrations.rules  # noqa: F401 - registers the rules
from harness.findings import Finding
from harness.migrations.history import History
from harness.migrations.inspection import Inspection
from harness.migrations.judge import trace_findings
from harness.migrations.tracing.event_triggers import install_event_triggers
from harness.migrations.tracing.observations import Observations
from harness.migrations.tracing.scratch_databases import ScratchDatabases
from harness.postgres.admin import Administrator
from harness.postgres.server import Cluster
from tests.harness.projects import write_environment, write_revision

SCHEMA = """
CREATE TYPE status AS ENUM ('open', 'done');
CREATE TABLE account (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL CONSTRAINT account_email_key UNIQUE,
  name varchar(50),
  age integer,
  balance numeric(12, 2) NOT NULL DEFAULT 0,
  note text,
  seen timestamp,
  state status NOT NULL DEFAULT 'open',
  code text NOT NULL DEFAULT 'x'
);
CREATE INDEX account_seen ON account (seen);
CREATE INDEX account_name_age ON account (name, age);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id bigint NOT NULL CONSTRAINT orders_account_id_fkey REFERENCES account,
  total numeric NOT NULL,
  parent_id bigint CONSTRAINT orders_parent_id_fkey REFERENCES orders DEFERRABLE INITIALLY DEFERRED,
  ref bigint
);
CREATE INDEX orders_account_id ON orders (account_id);
CREATE TABLE event (id bigint NOT NULL, happened date NOT NULL) PARTITION BY RANGE (happened);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE event_2027 (id bigint NOT NULL, happened date NOT NULL);
CREATE VIEW big_orders AS SELECT id, total FROM orders;
CREATE MATERIALIZED VIEW totals AS SELECT account_id, sum(total) AS total FROM orders GROUP BY account_id;
CREATE UNIQUE INDEX totals_account_id ON totals (account_id);
"""

ENV = """
from alembic import context
from sqlalchemy import text

connection = context.config.attributes["connection"]
connection.execute(text("SET lock_timeout = '5s'"))
connection.commit()
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
"""

SEED = '{"public.event_2027": [{"id": day, "happened": f"2027-01-{day:02}"} for day in range(1, 21)]}'


@dataclass(frozen=True, slots=True)
class Example:
    """The bodies of a revision, as Python; a body that begins with a word of SQL is one statement for op.execute."""

    upgrade: str
    downgrade: str = ""
    setup: str = ""
    seed: str = SEED


def write_example(folder: Path, revision: str, down: str | tuple[str, ...] | None, example: Example) -> None:
    """Write one revision below `folder`."""
    names = f"seed = {example.seed}"
    write_revision(folder / "versions", revision, down, example.upgrade, example.downgrade, names)


def write_history(folder: Path, *examples: Example) -> History:
    """Write a history of these revisions, 0001 and so on."""
    config = write_environment(folder, ENV)
    for number, example in enumerate(examples, start=1):
        write_example(folder, f"{number:04}", f"{number - 1:04}" if number > 1 else None, example)
    return History(config, folder)


@contextlib.contextmanager
def scratch_on(cluster: Cluster, prefix: str) -> Iterator[ScratchDatabases]:
    """Databases of a test's own on a cluster, where the superuser runs the revisions; no two at once have a prefix."""
    administrator = Administrator(cluster.address, cluster.run.path)
    with contextlib.closing(administrator), contextlib.closing(ScratchDatabases(administrator, prefix=prefix)) as made:
        yield made


@dataclass
class Workbench:
    """Runs examples on copies of one database; `folder` takes their projects."""

    scratch: ScratchDatabases
    folder: Path
    bases: dict[str, str] = field(default_factory=dict)
    stock: dict[tuple[str, str, bool], str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def see(self, example: Example) -> tuple[Observations, list[Finding]]:
        """What was seen of an example, and what the rules say."""
        history = write_history(self.folder / f"example{next(self._numbers)}", example)
        script = history.revisions[0]
        stock = self._stock(history, example)
        inspection = Inspection(history, self.scratch, script, self._schema(example.setup), 20, stock)
        seen = inspection.run()
        return seen, trace_findings(seen)

    def _stock(self, history: History, example: Example) -> dict[bool, str]:
        """Filled databases, made once for each set-up."""
        for adversarial in (False, True):
            key = (example.setup, example.seed, adversarial)
            if key not in self.stock:
                base = self._schema(example.setup)
                database = self.scratch.clone(base)
                inspection = Inspection(history, self.scratch, history.revisions[0], base, 20)
                with self.scratch.connect(database) as session:
                    if inspection.fill(session, adversarial=adversarial):
                        return {}
                self.stock[key] = database
        return {adversarial: self.stock[example.setup, example.seed, adversarial] for adversarial in (False, True)}

    def _schema(self, setup: str) -> str:
        if setup not in self.bases:
            base = self.scratch.clone(self._schema("")) if setup else self.scratch.empty()
            with self.scratch.connect(base) as session:
                session.execute((setup or SCHEMA).encode())
                if not setup:
                    install_event_triggers(session)
            self.bases[setup] = base
        return self.bases[setup]
