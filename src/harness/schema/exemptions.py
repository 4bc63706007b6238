"""Exemption files: TOML with one list, `exemptions = [{ rule = "...", object = "...", reason = "..." }]`."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import HarnessError
from harness.findings import Exemption, Finding, Verdict
from harness.frames import shown
from harness.rules import stale_exemption


def read_exemptions(path: Path) -> list[Exemption]:
    """Return the exemptions of a file.

    Raises:
        HarnessError: when the file cannot be read, holds anything else, or names a rule that does not exist.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        found = [Exemption(**item, file=shown(path)) for item in document["exemptions"]]
    except OSError as error:
        raise HarnessError(f"{path} cannot be read: {error.strerror}", remedy="name a file of exemptions") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise HarnessError(
            f"{path} holds no exemptions: {error}",
            remedy='write exemptions = [{ rule = "...", object = "...", reason = "..." }]',
        ) from error
    return found


def todo(verdict: Verdict) -> tuple[str, list[Finding]]:
    """Return a file that exempts all that is found today, and the findings whose object no exemption may name.

    Exemptions in use keep their reasons; the others say when they were written.
    """
    reason = f"TODO: found on {datetime.now(UTC):%Y-%m-%d}, to be fixed or explained"
    kept = [exemption for _, exemption in verdict.exempted]
    refused: list[Finding] = []
    for finding in (*verdict.failing, *verdict.shown):
        if finding.rule is stale_exemption.rule:
            continue
        try:
            kept.append(Exemption(finding.rule.id, finding.object, reason))
        except ValueError:
            refused.append(finding)
    lines = [
        f"  {{ rule = {_quoted(item.rule)}, object = {_quoted(item.object)}, reason = {_quoted(item.reason)} }},"
        for item in dict.fromkeys(kept)
    ]
    return "\n".join(["exemptions = [", *lines, "]"]) + "\n", refused


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(text, ensure_ascii=False)
