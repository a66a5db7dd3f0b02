#!/usr/bin/env python3
"""Is a Grafana dashboard sound, and does it ask for metrics that exist?

    check_dashboard.py grafana-dashboard.json [METRICS] [--rules prometheus-rules.yml]

METRICS is what /metrics answers (curl -s http://127.0.0.1:9480/metrics); without it only the syntax is checked. Every PromQL
expression is parsed by promtool, which must be on the PATH. With a sample, each metric must be in it (as a series or at least as a
`# TYPE` line), and so must be the labels that are matched, grouped by or named in a legend. --rules looks for the metrics of a
rules file too (its syntax is the business of `promtool check rules`).

Exit status: 0 all is well, 1 something is wrong, 2 wrong usage or no promtool.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile

TARGET_LABELS = {"instance", "job"}  # added by the scrape
SYNTHETIC = re.compile(r"^(up|ALERTS|ALERTS_FOR_STATE|scrape_\w+)$")  # made by Prometheus itself
BUILT_IN = {"__interval": "1m", "__interval_ms": "60000", "__rate_interval": "5m", "__rate_interval_ms": "300000",
            "__range": "1h", "__range_s": "3600", "__range_ms": "3600000", "__from": "1700000000000", "__to": "1700003600000"}
VARIABLE = re.compile(r"\$\{(\w+)(?::[^}]*)?\}|\$(\w+)|\[\[(\w+)(?::\w+)?\]\]")

TOKEN = re.compile(r"""\s+|\#[^\n]*|(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?P<number>\d[\w.]*|\.\d+)"""
                   r"""|(?P<name>[A-Za-z_:][\w:]*)|(?P<punct>=~|!~|!=|==|<=|>=|.)""", re.X | re.S)
GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = GROUPING | {"and", "or", "unless", "bool", "offset", "atan2", "inf", "nan", "start", "end"}
AGGREGATIONS = {"sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values", "bottomk", "topk", "quantile",
                "limitk", "limit_ratio"}


class Used:
    """What an expression uses: the labels matched of each metric, and the labels it groups by."""

    def __init__(self, expr):
        self.metrics = {}
        self.grouped = set()
        tokens = [(m.lastgroup, m.group()) for m in TOKEN.finditer(expr) if m.lastgroup]
        i = 0
        while i < len(tokens):
            kind, text = tokens[i]
            following = tokens[i + 1][1] if i + 1 < len(tokens) else ""
            if text == "[":
                i = next((k for k in range(i, len(tokens)) if tokens[k][1] == "]"), len(tokens))
            elif text == "{":
                i = self.selector(None, tokens, i)
            elif kind == "name" and text.lower() in GROUPING and following == "(":
                end = next((k for k in range(i, len(tokens)) if tokens[k][1] == ")"), len(tokens))
                if text.lower() in ("by", "on"):
                    self.grouped |= {t for k, t in tokens[i + 2:end] if k == "name"}
                i = end
            elif kind == "name" and following != "(" and text.lower() not in WORDS and text not in AGGREGATIONS:
                self.metrics.setdefault(text, set())
                if following == "{":
                    i = self.selector(text, tokens, i + 1)
            i += 1

    def selector(self, metric, tokens, i):
        labels = set()
        while i < len(tokens) and tokens[i][1] != "}":
            if tokens[i][0] == "name" and i + 2 < len(tokens):
                if tokens[i][1] == "__name__" and tokens[i + 1][1] == "=":
                    metric = tokens[i + 2][1][1:-1]
                else:
                    labels.add(tokens[i][1])
            i += 1
        if metric:
            self.metrics.setdefault(metric, set()).update(labels)
        return i


class Sample:
    """A text in Prometheus' format: the names in it, and the labels of those that have series."""

    def __init__(self, text):
        self.labels = {}
        self.declared = set()
        for line in text.splitlines():
            if kind := re.match(r"#\s*TYPE\s+(\S+)\s+(\S+)", line):
                name, what = kind.groups()
                suffixes = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}.get(what, ("",))
                self.declared |= {name + s for s in suffixes}
            elif series := re.match(r"([A-Za-z_:][\w:]*)\s*(\{.*\})?\s*\S+", line):
                names = re.findall(r'([A-Za-z_]\w*)\s*=\s*"(?:[^"\\]|\\.)*"', series.group(2) or "")
                self.labels.setdefault(series.group(1), set()).update(names)

    def problems(self, expr, legend=""):
        used = Used(expr)
        known = set(TARGET_LABELS)
        complete = True  # whether all labels that may come are known
        for metric, matched in used.metrics.items():
            if SYNTHETIC.match(metric):
                complete = False
            elif metric in self.labels:
                known |= self.labels[metric]
                for label in sorted(matched - self.labels[metric] - TARGET_LABELS):
                    yield f"{metric} has no label {label}"
            elif metric in self.declared:
                complete = False
            else:
                complete = False
                yield f"{metric} is not in the sample"
        if complete and used.metrics:
            for label in sorted(used.grouped - known):
                yield f"groups by {label}, which none of its metrics has"
            for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", legend):
                if label not in known:
                    yield f"the legend names {label}, which none of its metrics has"


def all_panels(dashboard):
    for panel in dashboard.get("panels", []):
        yield panel
        yield from panel.get("panels") or []


def expressions(dashboard):
    """(where, expression, legend) of panels, annotations and variables."""
    for panel in all_panels(dashboard):
        for target in panel.get("targets", []):
            if "expr" in target:
                yield f"panel \"{panel.get('title')}\" {target.get('refId')}", target["expr"], target.get("legendFormat", "")
    for note in dashboard.get("annotations", {}).get("list", []):
        if "expr" in note:
            yield f"annotation \"{note.get('name')}\"", note["expr"], ""
    for variable in dashboard.get("templating", {}).get("list", []):
        if variable.get("type") != "query":
            continue
        query = variable.get("query")
        text = query.get("query", "") if isinstance(query, dict) else query
        if asked := re.fullmatch(r"\s*(?:label_values\((.+),\s*(\w+)\s*\)|query_result\((.+)\))\s*", text, re.S):
            yield f"variable {variable['name']}", asked.group(1) or asked.group(3), "{{%s}}" % asked.group(2) if asked.group(2) else ""


def values(dashboard):
    out = dict(BUILT_IN)
    for variable in dashboard.get("templating", {}).get("list", []):
        value = ".+"
        if variable.get("type") in ("interval", "custom", "constant", "textbox"):
            value = variable.get("current", {}).get("value") or str(variable.get("query", "")).split(",")[0]
            value = value[0] if isinstance(value, list) else value
        out[variable["name"]] = "1m" if str(value).startswith("$__auto") else str(value)
    return out


def substitute(expr, known):
    unknown = []

    def value(match):
        name = next(g for g in match.groups() if g)
        if name not in known:
            unknown.append(name)
        return known.get(name, "1m")

    return VARIABLE.sub(value, expr), unknown


def structure(dashboard):
    if not dashboard.get("uid"):
        yield "no uid"
    if dashboard.get("id") is not None:
        yield "the id must be null: it belongs to one Grafana"
    if dashboard.get("schemaVersion", 0) < 38:
        yield "schemaVersion is older than Grafana 10 (38)"
    shared = dashboard.get("annotations", {}).get("list", []) + dashboard.get("templating", {}).get("list", [])
    for asked in shared:
        if "datasource" in asked and not asked.get("builtIn") and asked["datasource"].get("uid") != "${datasource}":
            yield f"{asked.get('name')}: its datasource is not ${{datasource}}"
    seen, places = set(), []
    for panel in all_panels(dashboard):
        title = panel.get("title") or f"panel {panel.get('id')}"
        if panel.get("id") in seen:
            yield f"{title}: id {panel.get('id')} is there twice"
        seen.add(panel.get("id"))
        at = panel.get("gridPos", {})
        if not {"x", "y", "w", "h"} <= at.keys() or at["x"] + at["w"] > 24:
            yield f"{title}: is not within the 24 columns"
            continue
        for other, o in places:
            if at["x"] < o["x"] + o["w"] and o["x"] < at["x"] + at["w"] and at["y"] < o["y"] + o["h"] and o["y"] < at["y"] + at["h"]:
                yield f"{title}: lies over {other}"
        if panel in dashboard["panels"]:
            places.append((title, at))
        if panel.get("type") == "row":
            continue
        if not panel.get("title") or not panel.get("description"):
            yield f"{title}: no title or no description"
        refs = [t.get("refId") for t in panel.get("targets", [])]
        if not refs or len(set(refs)) != len(refs):
            yield f"{title}: no target, or a refId twice"
        for asked in [panel] + panel.get("targets", []):
            if "datasource" in asked and asked["datasource"].get("uid") != "${datasource}" or asked is panel and "datasource" not in asked:
                yield f"{title}: its datasource is not ${{datasource}}"


def parse_errors(exprs):
    """promtool's complaints, by the number of the expression."""
    rules = [{"record": f"check:expression_{i}", "expr": expr} for i, expr in enumerate(exprs)]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)  # JSON is YAML
        file.flush()
        run = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True, check=False)
    if run.returncode == 0:
        return
    output = run.stdout + run.stderr
    found = re.findall(r"rule (\d+), \"check:expression_\d+\": (.*)", output)
    for number, what in found:
        yield int(number) - 1, what
    if not found:
        yield None, output.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("dashboard")
    parser.add_argument("metrics", nargs="?", help="a file with what /metrics answers")
    parser.add_argument("--rules", help="a rules file whose metrics must be in the sample too")
    args = parser.parse_args()
    try:
        with open(args.dashboard, encoding="utf-8") as file:
            dashboard = json.load(file)
        sample = rules = None
        if args.metrics:
            with open(args.metrics, encoding="utf-8") as file:
                sample = Sample(file.read())
        if args.rules:
            with open(args.rules, encoding="utf-8") as file:
                rules = file.read()
    except json.JSONDecodeError as error:
        print(f"{args.dashboard}:{error.lineno}: {error.msg}")
        return 1
    except OSError as error:
        print(error, file=sys.stderr)
        return 2

    problems = list(structure(dashboard))
    known = values(dashboard)
    asked = []
    for where, expr, legend in expressions(dashboard):
        text, unknown = substitute(expr, known)
        problems += [f"{where}: there is no variable ${name}" for name in unknown]
        asked.append((where, text, legend))
    if not asked:
        problems.append("no expressions at all")
    try:
        for number, what in parse_errors([text for _, text, _ in asked]):
            problems.append(what if number is None else f"{asked[number][0]}: {what}\n    {asked[number][1]}")
    except FileNotFoundError:
        print("promtool is not on the PATH (Debian: apt install prometheus)", file=sys.stderr)
        return 2
    metrics = {m for _, text, _ in asked for m in Used(text).metrics}
    if sample:
        for where, text, legend in asked:
            problems += [f"{where}: {what}" for what in sample.problems(text, legend)]
        if rules is not None:
            text = re.sub(r"(?m)^\s*#.*$", "", rules)
            for name in sorted(set(re.findall(r"(?<![\w:$.])(?:cvdd|process)_\w+(?![\w:])", text))):
                metrics.add(name)
                if name not in sample.labels and name not in sample.declared:
                    problems.append(f"{args.rules}: {name} is not in the sample")
        unused = sorted(n for n in set(sample.labels) if n.startswith("cvdd_") and n not in metrics
                        and re.sub(r"_(bucket|sum|count)$", "", n) not in {re.sub(r"_(bucket|sum|count)$", "", m) for m in metrics})
        if unused:
            print("in the sample, but nobody looks at them: " + ", ".join(unused))
    for problem in problems:
        print(problem)
    print(f"{args.dashboard}: {len(asked)} expressions, {len(metrics)} metrics, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
