#!/usr/bin/env python3
"""Reads and compares reports of `make bench`.

usage: report.py merge OUT.json ENVIRONMENT.txt REPORT.json...   one report of several
       report.py targets BENCH.json                              what has to be reached, and what was
       report.py plots BENCH.json DIRECTORY                      growth_*.svg: what becomes dearer as work grows
       report.py compare OLD.json NEW.json                       each figure of both, and how it has changed
"""
import json
import math
import sys


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        sys.exit(f"report.py: {path}: {error}; make it with `make bench`")


def rows_of(path):
    rows = load(path).get("rows")
    if not isinstance(rows, list):
        sys.exit(f"report.py: {path}: there is no list 'rows' in it; make it with `make bench`")
    return rows


def merge(out, environment, reports):
    with open(environment, encoding="utf-8") as file:
        whole = {"environment": file.read().splitlines(), "rows": [row for path in reports for row in rows_of(path)]}
    with open(out, "w", encoding="utf-8") as file:
        json.dump(whole, file, indent=2)
        file.write("\n")


# Workload, the row and the member of its figure, at least or at most, how much of what unit.
AT_LEAST, AT_MOST = ">=", "<="
TARGETS = [
    ("mix, 64 connections, window 1: of the bare CURVE echo", "query_mix_n64_w1", "ratio_to_curve_echo", AT_LEAST, 0.60, ""),
    ("mix, 64 connections, window 1: of the NATS echo", "query_mix_n64_w1", "ratio_to_nats", AT_LEAST, 1.0, ""),
    ("mix, 64 connections, window 16: of the bare CURVE echo", "query_mix_n64_w16", "ratio_to_curve_echo", AT_LEAST, 0.40, ""),
    ("mix, 64 connections, window 16: of PostgreSQL", "query_mix_n64_w16", "ratio_to_postgres", AT_LEAST, 10, ""),
    ("mix, 64 connections, window 16: server CPU of nginx's", "query_mix_n64_w16", "cpu_of_nginx", AT_MOST, 1.2, ""),
    ("one client, idle broker: p50 of what is allowed", "query_mix_n1_w1", "p50_of_allowed", AT_MOST, 1.0, ""),
    ("p99.9 at 70 % of capacity, backups and checkpoints beside", "open_loop_70", "p999_us", AT_MOST, 10000, "us"),
    ("three times the load: carried out, of the best", "overload", "goodput_of_best", AT_LEAST, 0.90, ""),
    ("three times the load: p99 of those let in, of that at 70 %", "overload", "p99_of_calm", AT_MOST, 3, ""),
    ("three times the load: the others are told, p99", "overload", "told_p99_us", AT_MOST, 50000, "us"),
    ("the same where the disk is the limit: carried out, of the best", "overload_batch_8", "goodput_of_best", AT_LEAST, 0.90, ""),
    ("the same where the disk is the limit: p99 of that at 70 %", "overload_batch_8", "p99_of_calm", AT_MOST, 3, ""),
    ("the same where the disk is the limit: told, p99", "overload_batch_8", "told_p99_us", AT_MOST, 50000, "us"),
    ("memory at 250,000 plans and 64 connections", "memory_n64", "megabytes", AT_MOST, 64, "MB"),
    ("memory of each further connection", "memory_per_connection", "kilobytes", AT_MOST, 50, "kB"),
    ("publication of 250,000 plans", "publication_250000_new", "rps", AT_LEAST, 50000, "/s"),
    ("1,000 clients answered again after a restart", "restart_1000_clients", "seconds", AT_MOST, 3, "s"),
    ("query cost, largest register of the smallest", "growth_register", "cpu_of_smallest", AT_MOST, 1.25, ""),
    ("query cost, largest log of the smallest", "growth_log", "cpu_of_smallest", AT_MOST, 1.25, ""),
    ("search by person, largest log: of a logarithm's growth", "growth_log", "search_of_logarithm", AT_MOST, 1.25, ""),
    ("proof, largest log: of a logarithm's growth", "growth_log", "proof_of_logarithm", AT_MOST, 1.25, ""),
    ("start-up at 10 million plans (full bench)", "growth_register_10000000", "start_s", AT_MOST, 5, "s"),
]


def add_derived(rows):
    """Ratios of two rows."""
    mix, nginx = rows.get("query_mix_n64_w16"), rows.get("nginx_static_n64_w16")
    if mix and nginx:
        mix["cpu_of_nginx"] = mix["server_cpu_us"] / nginx["server_cpu_us"]
    idle = rows.get("query_mix_n1_w1")
    if idle and "p50_allowed_us" in idle:
        idle["p50_of_allowed"] = idle["p50_us"] / idle["p50_allowed_us"]
    # The largest size of each axis stands for it.
    for row in sorted((row for row in rows.values() if "axis" in row), key=lambda row: row["size"]):
        rows["growth_" + row["axis"]] = row
    logs = sorted((row for row in rows.values() if row.get("axis") == "log"), key=lambda row: row["size"])
    for what in ("search", "proof") if logs else ():
        growth = logs[-1][what + "_p50_us"] / logs[0][what + "_p50_us"]
        logs[-1][what + "_of_logarithm"] = growth / (math.log(logs[-1]["size"]) / math.log(logs[0]["size"]))


# What is drawn of each axis: member of its rows and words.
CURVES = [("cpu_of_smallest", "processor time of a query"), ("alone_p50_us", "p50 of a client alone"), ("start_s", "start of the broker"),
          ("search_p50_us", "search by person"), ("proof_p50_us", "record with its proof")]
COLOURS = ["#1d70b8", "#d4351c", "#00703c", "#4c2c92", "#b58840"]
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 760, 420, 70, 60, 30, 250


def axes_of(rows):
    """Rows by axis, ascending; the decision's own benchmark gives further axes."""
    axes = {}
    for row in rows:
        if "axis" in row:
            axes.setdefault(row["axis"], []).append(row)
        elif row["name"].startswith("decision_"):
            axis, size = row["name"].rsplit("_", 1)
            axes.setdefault(axis, []).append({"size": int(size), "alone_p50_us": row["p50_us"]})
    return {axis: sorted(of, key=lambda row: row["size"]) for axis, of in axes.items() if len(of) > 1}


def draw(axis, rows):
    """Each curve is in multiples of its first value, over the logarithm of the size; both scales begin where the figures do."""
    curves = [(words, [(row["size"], row[member] / rows[0][member]) for row in rows]) for member, words in CURVES
              if all(row.get(member) for row in rows)]
    low, high = math.log10(rows[0]["size"]), math.log10(rows[-1]["size"])
    top = max(2.0, max(value for _, curve in curves for _, value in curve) * 1.1)

    def x_of(size):
        return LEFT + (math.log10(size) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y_of(value):
        return HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="13">',
           f'<title>Cost by size: {axis}</title><rect width="100%" height="100%" fill="white"/>',
           f'<text x="{LEFT}" y="18">{axis}: cost by size, in multiples of the smallest</text>']
    for step in range(5):
        value = top * step / 4
        out.append(f'<path d="M{LEFT} {y_of(value):.1f}H{WIDTH - RIGHT}" stroke="#ccc"/>'
                   f'<text x="{LEFT - 8}" y="{y_of(value) + 4:.1f}" text-anchor="end">{value:.1f}</text>')
    for row in rows:
        out.append(f'<text x="{x_of(row["size"]):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{row["size"]:,}</text>')
    for number, (words, curve) in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{x_of(size):.1f},{y_of(value):.1f}" for size, value in curve)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.extend(f'<circle cx="{x_of(size):.1f}" cy="{y_of(value):.1f}" r="3" fill="{colour}"/>' for size, value in curve)
        out.append(f'<text x="{WIDTH - RIGHT + 15}" y="{TOP + 20 * (number + 1)}" fill="{colour}">{words}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def plots(path, directory):
    for axis, rows in axes_of(rows_of(path)).items():
        with open(f"{directory}/growth_{axis}.svg", "w", encoding="utf-8") as file:
            file.write(draw(axis, rows))
        print(f"plot: {directory}/growth_{axis}.svg")


def targets(path):
    rows = {row["name"]: row for row in rows_of(path)}
    add_derived(rows)
    print(f"{'target':60} {'must be':>14} {'is':>12}")
    for words, name, member, sense, bound, unit in TARGETS:
        must = f"{sense} {bound:,} {unit}".strip()
        value = rows.get(name, {}).get(member)
        if value is None:
            print(f"{words:60} {must:>14} {'not measured':>12}")
            continue
        reached = value >= bound if sense == AT_LEAST else value <= bound
        shown = f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"
        print(f"{words:60} {must:>14} {shown:>12}  {'reached' if reached else 'NOT REACHED'}")


def key_of(row):
    """Rows of one name may differ in size."""
    return " ".join(str(row[part]) for part in ("name", "records", "memory") if part in row)


def compare(old_path, new_path):
    old = {key_of(row): row for row in rows_of(old_path)}
    new = {key_of(row): row for row in rows_of(new_path)}
    for name, row in new.items():
        if name not in old:
            print(f"{name:40} only in {new_path}")
            continue
        changes = []
        for member, value in row.items():
            before = old[name].get(member)
            if isinstance(value, float) and isinstance(before, (int, float)) and before:
                changes.append(f"{member} {before:,.4g} -> {value:,.4g} ({100 * (value / before - 1):+.0f} %)")
        print(f"{name:40} " + "; ".join(changes))
    for name in old.keys() - new.keys():
        print(f"{name:40} only in {old_path}")


def main(arguments):
    if len(arguments) >= 4 and arguments[0] == "merge":
        merge(arguments[1], arguments[2], arguments[3:])
    elif len(arguments) == 2 and arguments[0] == "targets":
        targets(arguments[1])
    elif len(arguments) == 3 and arguments[0] == "plots":
        plots(arguments[1], arguments[2])
    elif len(arguments) == 3 and arguments[0] == "compare":
        compare(arguments[1], arguments[2])
    else:
        sys.exit(__doc__.strip())


main(sys.argv[1:])
