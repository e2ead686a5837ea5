"""The audit log has the replayed questions and the direct ones alike: usage: recorded.py WORLD MESSAGES.

The last 2 * MESSAGES flag queries of the hospital: the first half came by MLLP, the second half directly; number by number the same, with the
same person, system, role, care setting and outcome.
"""
import collections
import json
import subprocess
import sys

OUTER = ("organisation", "system_name", "operation", "outcome", "reason_code", "policy_version")
INNER = ("nhs_number", "uid", "role_code", "care_setting", "notified", "break_glass", "rule")


def main():
    world, count = sys.argv[1], int(sys.argv[2])
    run = subprocess.run(["cpis", "--profile", "guardian.yaml", "--json", "audit", "search", "--all", "--limit", "100", "--operation", "flag",
                          "--organisation", "RXH", "--uid", "555000000001"], cwd=world, capture_output=True, text=True, check=True)
    entries = json.loads(run.stdout)["entries"]
    entries.sort(key=lambda entry: entry["index"], reverse=True)
    taken = [tuple([entry[key] for key in OUTER] + [entry["detail"].get(key) for key in INNER]) for entry in entries[:2 * count]]
    if not all(isinstance(one[len(OUTER)], str) and one[len(OUTER)] for one in taken):
        raise SystemExit("a record without a number")
    direct, replayed = collections.Counter(taken[:count]), collections.Counter(taken[count:])
    if len(taken) != 2 * count or direct != replayed:
        raise SystemExit(f"{len(taken)} records; {list((direct - replayed).items())[:2]} {list((replayed - direct).items())[:2]}")


main()
