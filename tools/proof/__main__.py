"""Plant each change of the catalogue in a copy of the project, and report those that the tests misjudge.

The exit code is 1 when a fault was not caught or a harmless change failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tools.cli import whole_number
from tools.proof import page
from tools.proof.catalogue import CHANGES
from tools.proof.change import Change
from tools.proof.running import Outcome, copy_tracked, prove, stop

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "proof"
DOCS = ROOT / "docs" / "proof.md"


def arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="proof", description=__doc__)
    parser.add_argument("ids", nargs="*", metavar="ID", help="plant only these changes")
    parser.add_argument("--write-docs", action="store_true", help="write the tables of docs/proof.md")
    parser.add_argument(
        "-j", "--jobs", type=whole_number(1, 64), default=os.cpu_count() or 1, help="copies at once (default: cores)"
    )
    return parser.parse_args()


def chosen(ids: Sequence[str]) -> list[Change]:
    """Return the changes with these ids, or all.

    Raises:
        SystemExit: for an unknown id.
    """
    known = {change.id: change for change in CHANGES}
    if unknown := [name for name in ids if name not in known]:
        raise SystemExit(f"proof: no change has the id {', '.join(unknown)}\n  remedy: use one of {', '.join(known)}")
    return [known[name] for name in ids] if ids else [*CHANGES]


def outcomes(changes: Sequence[Change], jobs: int) -> Iterator[Outcome]:
    """Yield each outcome when it is known; `jobs` run at once, in a directory that every account may enter."""
    with (
        tempfile.TemporaryDirectory(prefix="proof-", ignore_cleanup_errors=True) as name,
        ThreadPoolExecutor(jobs) as pool,
    ):
        place = Path(name)
        place.chmod(0o755)
        clean = place / "clean"
        copy_tracked(ROOT, clean)
        waiting = [pool.submit(prove, change, clean, place) for change in changes]
        try:
            for each in as_completed(waiting):
                yield each.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop()
            raise


def watch(changes: Sequence[Change], jobs: int) -> list[Outcome]:
    """Return all outcomes in the catalogue's order, write pytest's output of each, and print wrong ones at once."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    found: dict[str, Outcome] = {}
    RESULTS.mkdir(parents=True, exist_ok=True)
    with Progress(*columns) as bar:
        task = bar.add_task("planting", total=len(changes))
        for outcome in outcomes(changes, jobs):
            found[outcome.change.id] = outcome
            (RESULTS / f"{outcome.change.id}.txt").write_text(outcome.output, encoding="utf-8")
            if not outcome.right:
                bar.console.print(f"{outcome.change.id}: {outcome.problem}", markup=False, highlight=False)
            bar.advance(task)
    return [found[change.id] for change in changes]


def main() -> int:
    """Plant the chosen changes and print the result."""
    options = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    changes = chosen(options.ids)
    try:
        found = watch(changes, options.jobs)
    except KeyboardInterrupt:
        print("proof: interrupted; copies and servers are removed")
        return 130
    if options.write_docs and not options.ids:
        page.write(DOCS, found)
    wrong = [item for item in found if not item.right]
    for item in found if options.ids else ():
        print(f"{item.change.id}: {item.change.done}\n  {item.answer or item.problem}  ({item.seconds:.0f} s)")
    print(f"proof: {len(found) - len(wrong)} of {len(found)} as expected; pytest's output is in {RESULTS}")
    for item in wrong:
        print(f"  {item.change.id} ({item.change.done}): {item.problem}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
