#!/usr/bin/env python3
"""Compares the reports of one round of publish.sh with what generate.py planted.

usage: compare.py first|again EXPECTED.json STARTED ENDED REPORT.json...     (seconds; one report an authority, report-ROUND-ODS.json)
"""
import json
import re
import sys


def rejected_by_code(report):
    codes = {}
    for row in report.get("rejected", []):
        codes[row["code"]] = codes.get(row["code"], 0) + 1
    return codes


def main():
    round_name, expected_path, started, ended, *paths = sys.argv[1:]
    with open(expected_path, encoding="utf-8") as file:
        expected = json.load(file)["authorities"]
    rows, faults, changed = 0, [], 0
    for path in paths:
        ods = re.search(r"-([0-9A-Z]+)\.json$", path)[1]
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        wanted = expected[ods]
        rows += report["received"]
        if (report["received"], report["stored"]) != (wanted["records"], wanted["good"]):
            faults.append(f"{ods}: {report['received']} received and {report['stored']} stored, not {wanted['records']} and {wanted['good']}")
        outcomes = {code: count for code, count in wanted["outcomes"].items() if count and code != "CPR06"}
        if rejected_by_code(report) != outcomes:
            faults.append(f"{ods}: rejected {rejected_by_code(report)}, not {outcomes}")
        changed += sum(report[change] for change in ("new", "changed", "ended", "withdrawn", "vanished"))
    seconds = float(ended) - float(started)
    print(f"{round_name}: {len(paths)} files, {rows} records in {seconds:.1f} s, {rows / seconds:.0f} records/s; {changed} changes, "
          f"{len(faults)} authorities not as planted")
    for fault in faults[:10]:
        print(fault)
    if round_name == "again" and changed:
        sys.exit("compare.py: the same files again changed something")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
