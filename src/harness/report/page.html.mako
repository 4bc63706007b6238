## The report's page, rendered by page.py.
<%!
from harness.report.page import LOCKS, NUMBER, PLOT, WIDTH
from harness.report.page import chart_of, milliseconds, number, shorten, sources, tenths
from harness.wording import plural
%>\
<%def name="wide(columns, rows, caption)"><%
    lines = [tuple(map(str, cells)) for cells in rows]
    right = [bool(lines) and all(not line[n] or NUMBER.match(line[n]) for line in lines) for n in range(len(columns))]
    kinds = ["text", *("number" if each else "text" for each in right[1:])]
%><div class="wide" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}</caption><thead><tr>\
% for kind, name in zip(kinds, columns):
<th scope="col" class="${kind}">${name}</th>\
% endfor
</tr></thead>
<tbody>
% for line in lines:
<tr><th scope="row">${line[0]}</th>\
% for kind, text in zip(kinds[1:], line[1:]):
<td class="${kind}">${text}</td>\
% endfor
</tr>
% endfor
</tbody></table></div>
</%def>
<%def name="findings(items)">
% for item in items:
<article class="${item["severity"]}"><h3><span class="level">${item["severity"]}</span> \
${item["rule"]}: ${item["object"]}</h3>
<p>${item["message"]}</p><p class="muted">${item["suite"]} suite\
${", revision " + item["revision"] if "revision" in item else ""}\
${", met by " + plural(len(item["tests"]), "test") if len(item.get("tests", ())) > 1 else ""}: ${item["why"]}</p>\
% if "statement" in item:
<p>Statement</p><pre>${item["statement"]}</pre>\
% endif
<p>Fix</p><pre>${item["fix"]}</pre></article>
% endfor
% if not items:
<p>No rule is broken.</p>\
% endif
</%def>
<%def name="failures(tests)">
% for test in tests:
<article class="failed"><h3><span class="level">failed</span> ${test.name}</h3><pre>${test.failure}</pre>\
% if test.trace:
<details><summary>Where</summary><pre>${test.trace}</pre></details>\
% endif
</article>
% endfor
</%def>
<%def name="latency(rows)"><%
    routes = [(row["route"], number(row["ms at 0"]), number(row["ms at 10"])) for row in rows]
    scale = PLOT / max([run.objective * 1.05, *(time for _, *times in routes for time in times)])
    height, line = 20 + 44 * len(routes), run.objective * scale
%><figure><svg viewBox="0 0 ${WIDTH} ${height}" role="img" \
aria-label="Time of each route and the objective; the table has the figures">\
<text class="note" x="${tenths(line - 4)}" y="11" text-anchor="end">objective ${round(run.objective)} ms</text>\
<line class="objective" x1="${tenths(line)}" x2="${tenths(line)}" y1="0" y2="${height}"/>\
% for place, (name, near, far) in enumerate(routes):
<% top, late = 20 + 44 * place, far >= run.objective %>\
<text x="0" y="${top + 11}">${shorten(name)}\
% if late:
 <tspan class="name">too late</tspan>\
% endif
</text>\
% for kind, time, y in (("near", near, top + 16), ("late" if late else "far", far, top + 28)):
<% width = max(time * scale, 1) %>\
<rect class="${kind}" x="0.5" y="${y}" width="${tenths(width)}" height="9"/>\
<text class="figure" x="${tenths(width + 5)}" y="${y + 8}">${tenths(time)}</text>\
% endfor
% endfor
</svg><figcaption>Median milliseconds: outlined without latency, filled with 10 ms added to each round trip</figcaption>\
</figure></%def>
<%def name="timeline(rows)"><%
    times = [number(row["ms"]) for row in rows]
    scale = WIDTH / max(sum(times), 1)
%><figure><svg viewBox="0 0 ${WIDTH} ${48 * len(rows)}" role="img" \
aria-label="Revisions in sequence, with what their locks block; the table has the figures">\
## Stripes and crosses show what a lock blocks, not colour alone.
<defs><pattern id="writes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">\
<rect class="writes" width="6" height="6" opacity=".25"/><rect class="writes" width="3" height="6"/></pattern>\
<pattern id="all" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="all" width="6" height="6"/>\
<path class="weave" d="M0 0L6 6M6 0L0 6"/></pattern></defs>\
% for place, row in enumerate(rows):
<%
    top, lock = 48 * place, row["strongest lock"]
    blocks, effect = LOCKS.get(lock, ("nothing", "blocks neither reads nor writes"))
%>\
<text x="0" y="${top + 11}"><tspan class="name">${shorten(row["revision"], 20)}</tspan> \
${lock + ": " + effect if lock else "no lock on an existing table"}</text>\
<rect class="lane" x="0" y="${top + 16}" width="${WIDTH}" height="10"/>\
<rect class="bar ${blocks}" x="${tenths(sum(times[:place]) * scale)}" y="${top + 16}" \
width="${tenths(max(times[place] * scale, 2))}" height="10"/>\
<text class="note" x="0" y="${top + 38}">${row["statements"]} statements, ${row["rewrites"]} rewrites, \
${row["scans"]} scans, ${row["ms"]} ms</text>\
% endfor
</svg><figcaption>In sequence, on seeded rows. Striped: blocks writes. Crossed: blocks reads and writes</figcaption>\
</figure></%def>
<%def name="reported(item)"><%
    rows = [dict(zip(item["columns"], cells)) for cells in item["rows"]]
    kind = chart_of(item["title"], item["columns"])
%>
% if kind:
<div class="pair">${(latency if kind == "Routes" else timeline)(rows)}\
% endif
${wide(item["columns"], item["rows"], str(len(rows)) + " rows")}
% if kind:
</div>
% endif
</%def>
<%def name="exemptions(accepted)">
% if accepted:
${wide(("rule", "object", "reason"), accepted, "Objects that may break a rule, and why")}\
% else:
<p>None.</p>\
% endif
</%def>
<%def name="databases(tests)">
${wide(("source", "databases", "median ms", "worst ms"), sources(tests), "Time to lend a database and take it back")}\
<details><summary>Each of the ${len(tests)} tests with a database</summary>
${wide(("test", "database", "database ms", "test ms"), [
    (test.name, "; ".join(test.databases), milliseconds(test.milliseconds), str(round(test.seconds * 1000)))
    for test in tests], "In the order of the run")}\
</details>
</%def>
<%def name="diagram(source)"><pre>${source}</pre></%def>
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${run.title}</title>
<style>
${style | n}</style>
</head>
<body>
<header><h1>${run.title}</h1>\
<p class="muted">Run of <time datetime="${run.made.isoformat()}">${run.made.strftime("%d %B %Y, %H:%M %Z")}</time></p>\
<dl class="sums">\
% for kind, name, count in run.sums:
<div class="${kind}"><dt>${name}</dt><dd>${count}</dd></div>\
% endfor
</dl><nav aria-label="Sections"><ul>\
% for place, (title, _, _) in enumerate(run.sections):
<li><a href="#s${place}">${title}</a></li>\
% endfor
</ul></nav></header>
<main>
% for place, (title, kind, content) in enumerate(run.sections):
<section aria-labelledby="s${place}"><h2 id="s${place}">${title}</h2>
${{"findings": findings, "failures": failures, "table": reported, "exemptions": exemptions, "databases": databases,
   "diagram": diagram}[kind](content)}</section>
% endfor
</main>
</body>
</html>
