"""In a real browser the report's page fits a phone and is readable in light and dark."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.findings import Exemption, Finding, Rule
from harness.report.page import Outcome, PageContent, page
from harness.report.report import Report
from harness.rules import judge

BROWSERS = [name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)][:1]
SCHEMES = {"light": "1", "dark": "0"}
"""Blink's numbers for prefers-color-scheme."""

MEASURE = """<!doctype html><title>waiting</title><iframe width="WIDTH" height="900" srcdoc="PAGE"></iframe><script>
const channels = text => text.match(/[\\d.]+/g).map(Number);
const light = text => channels(text).slice(0, 3)
  .map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
onload = () => {
  const inner = document.querySelector("iframe").contentDocument, view = inner.defaultView;
  const ground = e => {
    const colour = view.getComputedStyle(e).backgroundColor;
    return channels(colour)[3] === 0 && e.parentElement ? ground(e.parentElement) : colour;
  };
  const faint = [...inner.body.querySelectorAll("*")].filter(e =>
    [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
  ).filter(e => {
    const style = view.getComputedStyle(e);
    const [a, b] = [light(e.closest("svg") ? style.fill : style.color), light(ground(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
  });
  const root = inner.documentElement;
  document.title = JSON.stringify({
    sticksOut: root.scrollWidth - root.clientWidth, dark: light(ground(inner.body)) < 0.2,
    faint: faint.map(e => e.outerHTML.slice(0, 90)), fetched: view.performance.getEntriesByType("resource").length,
  });
};
</script>"""
"""Puts the page into a frame of a phone's width; contrast is WCAG 2.2's, 1.4.3, which asks for 4.5."""


def example() -> str:
    """A page with something of everything, with names that are too long for a phone."""
    long = "public.a_table_whose_name_leaves_no_room_for_more.and_a_column_that_is_as_long_as_it_can_be"
    report = Report()
    rule = Rule("no-key", "error", "It holds", "rows cannot be distinguished", "add a primary key " * 20)
    report.add("schema", judge([Finding(rule, long, f"{long} has none", statement=f"SELECT {long}" * 5)]))
    accepted = Exemption("no-key", "b", "a log that nobody reads back")
    report.add("schema", judge([Finding(rule, "b", "none")], [accepted]))
    columns = ["route", "queries", "round trips", "ms at 0", "ms at 10"]
    report.row("Routes", columns, ["GET /v1/" + "todos/{todo_id}/" * 6, 1, 1, "3.0", "943.9"])
    columns = ["revision", "statements", "strongest lock", "rewrites", "scans", "ms"]
    report.row("Migrations", columns, ["0123456789abcdef" * 2, 4, "ACCESS EXCLUSIVE", 0, 0, "30"])
    report.row("Migrations", columns, ["0002", 4, "SHARE ROW EXCLUSIVE", 0, 0, "30"])
    tests = [Outcome("tests.a::test_a", 0.5, long, long, databases=("cloned",), milliseconds=12.5)]
    return page(
        PageContent("shop", datetime(2026, 1, 2, tzinfo=UTC), report.data(), 200, tests, "erDiagram\n  " + long * 3)
    )


if BROWSERS:

    @pytest.mark.slow
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize("width", [390, 1280])
    def test_it_fits_and_is_readable(tmp_path: Path, width: int, scheme: str) -> None:
        """Nothing sticks out to the side, every text has the contrast that WCAG asks for, and nothing is fetched."""
        file = tmp_path / "frame.html"
        file.write_text(MEASURE.replace("WIDTH", str(width)).replace("PAGE", html.escape(example())))
        command = [BROWSERS[0], "--headless", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
        command += [f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}", "--dump-dom", file.as_uri()]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")
        shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
        found = re.search(r"<title>(\{.*?\})</title>", shown)
        assert found, shown[:500]
        seen = json.loads(html.unescape(found[1]))
        assert seen == {"sticksOut": 0, "dark": scheme == "dark", "faint": [], "fetched": 0}
