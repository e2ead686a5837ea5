#!/usr/bin/env python3
"""Reads and compares reports of `make bench`.

usage: report.py merge OUT.json ENVIRONMENT.txt REPORT.json...   one report of several
       report.py targets BENCH.json                              what has to be reached, and what was
       report.py compare OLD.json NEW.json                       each figure of both, and how it has changed
"""
import json
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
    ("memory at 250,000 plans and 64 connections", "memory_n64", "megabytes", AT_MOST, 64, "MB"),
    ("memory of each further connection", "memory_per_connection", "kilobytes", AT_MOST, 50, "kB"),
    ("publication of 250,000 plans", "publication_250000_new", "rps", AT_LEAST, 50000, "/s"),
    ("1,000 clients answered again after a restart", "restart_1000_clients", "seconds", AT_MOST, 3, "s"),
]
NOT_HERE = ["query cost with register and log grown, start-up at 10 million plans"]


def add_derived(rows):
    """Ratios of two rows."""
    mix, nginx = rows.get("query_mix_n64_w16"), rows.get("nginx_static_n64_w16")
    if mix and nginx:
        mix["cpu_of_nginx"] = mix["server_cpu_us"] / nginx["server_cpu_us"]
    idle = rows.get("query_mix_n1_w1")
    if idle and "p50_allowed_us" in idle:
        idle["p50_of_allowed"] = idle["p50_us"] / idle["p50_allowed_us"]


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
    for words in NOT_HERE:
        print(f"{words}: not measured by this benchmark")


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
    elif len(arguments) == 3 and arguments[0] == "compare":
        compare(arguments[1], arguments[2])
    else:
        sys.exit(__doc__.strip())


main(sys.argv[1:])
