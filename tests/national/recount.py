"""Judges every row of generated national data by the rules as README.md states them, from the files alone, and compares
with expected.json: rows, codes, fields, counts and what changed in a day. Shares no code with generate.py.

usage: recount.py DIR      prints the number of comparisons; exits 1 and says where at the first that fails
"""
import collections
import csv
import json
import os
import sys
from datetime import date, timedelta

comparisons = 0


def same(what, found, wanted):
    global comparisons
    comparisons += 1
    if found != wanted:
        sys.exit(f"recount.py: {what}: {found!r} in the files, {wanted!r} expected")


def day(text):
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def valid(number):
    if len(number) != 10 or not number.isascii() or not number.isdigit() or len(set(number)) == 1:
        return False
    return sum((10 - i) * int(digit) for i, digit in enumerate(number)) % 11 == 0 if number[9] != "0" else \
        sum((10 - i) * int(digit) for i, digit in enumerate(number[:9])) % 11 == 0


def birthday(birth, years):
    try:
        return birth.replace(year=birth.year + years)
    except ValueError:
        return date(birth.year + years, 3, 1)


def form_fault(row, today):
    """What is wrong with the row itself."""
    start, end, birth = day(row["start_date"]), day(row["end_date"]), day(row["birth_date"])
    if not valid(row["nhs_number"]):
        return "CPR04", "nhs_number"
    if row["plan_type"] not in ("CPP", "LAC", "UCPP"):
        return "CPR07", "plan_type"
    if start is None or start > birthday(today, 1):
        return "CPR07", "start_date"
    if end is not None and (end < start or end < today - timedelta(days=365)):
        return "CPR07", "end_date"
    if birth is None or birth > today:
        return "CPR07", "birth_date"
    if start < birth:
        return "CPR07", "start_date"
    if row["plan_type"] == "UCPP" and not birthday(birth, 10) <= start < birthday(birth, 61):
        return "CPR07", "birth_date"
    if row["plan_type"] != "UCPP" and birthday(birth, 18) <= today and (end is None or end > birthday(birth, 18)):
        return "CPR07", "end_date"
    if row["plan_type"] != "UCPP" and start >= birthday(birth, 18):
        return "CPR07", "start_date"
    return None


def demographics_fault(row, person):
    """What is wrong with whom it is about."""
    if person is None:
        return "CPR01", "nhs_number"
    given, known = row["given_names"].split(), person["given_names"].split()
    if row["family_name"] != person["family_name"] or row["birth_date"] != person["birth_date"] or given[0] not in known:
        return "CPR03", "nhs_number"
    if person["status"] in ("superseded", "invalid"):
        return "CPR05", "nhs_number"
    if person["status"] == "sensitive":
        return "CPR02", "nhs_number"
    if row["plan_type"] == "UCPP" and person["sex"] != "female":
        return "CPR07", "plan_type"
    return None


def read(path, header):
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    same(f"{path} ends its lines with a line feed", "\r" in text or not text.endswith("\n"), False)
    rows = list(csv.reader(text.splitlines(), strict=True))
    same(f"{path} header", ",".join(rows[0]), header)
    same(f"{path} columns", {len(row) for row in rows}, {len(rows[0])})
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def read_people(folder, expected):
    rows = read(os.path.join(folder, "people.csv"), "nhs_number,family_name,given_names,birth_date,sex,status")
    people = {row["nhs_number"]: row for row in rows}
    same("numbers of people, each once and in order", [row["nhs_number"] for row in rows], sorted(people))
    same("numbers of people that are not good test numbers",
         [number for number in people if not valid(number) or not number.startswith("999")], [])
    same("sexes", {row["sex"] for row in rows} <= {"female", "male", "unknown"}, True)
    found = collections.Counter(row["status"] for row in rows)
    same("people by status", {name: found[name] for name in expected["people"]}, expected["people"])
    return people


def judge(rows, people, today):
    """Lines with their fault, and the plans that are left, by number and type."""
    faults, plans = [], {}
    for line, row in enumerate(rows, 2):
        key = row["nhs_number"], row["plan_type"]
        same("a number outside of the range for tests",
             row["nhs_number"].isdigit() and not row["nhs_number"].startswith("999"), False)
        fault = form_fault(row, today) or demographics_fault(row, people.get(row["nhs_number"]))
        if fault is None and key in plans:
            fault = "CPR07", "nhs_number"
        if fault is None:
            plans[key] = row
        else:
            faults.append([line, *fault])
    return faults, plans


def find_holders(all_plans):
    holders = collections.defaultdict(set)
    for ods, plans in all_plans.items():
        for (number, _), row in plans.items():
            if not row["delete_date"]:
                holders[number].add(ods)
    return holders


def count_children(all_plans, holders, odses, today):
    facts = collections.defaultdict(set)
    types = collections.defaultdict(set)
    for ods in odses:
        for (number, plan_type), row in all_plans[ods].items():
            if row["delete_date"]:
                continue
            types[number].add(plan_type)
            facts["all"].add(number)
            if len(holders[number]) > 1:
                facts["at_two_authorities"].add(number)
            if row["end_date"]:
                facts["ended_within_12_months"].add(number)
            elif row["start_date"] > today.isoformat():
                facts["starting_in_the_future"].add(number)
            if not row["end_date"] and plan_type != "UCPP" and birthday(day(row["birth_date"]), 17) <= today:
                facts["turning_18_within_a_year"].add(number)
            if len(types[number]) > 1:
                facts["with_two_types"].add(number)
    return {name: len(numbers) for name, numbers in facts.items()}


def compare_block(where, block, rows, faults, all_plans, holders, odses, today):
    types = collections.Counter(row["plan_type"] if row["plan_type"] in ("CPP", "LAC", "UCPP") else "other" for row in rows)
    outcomes = collections.Counter(code for _, code, _ in faults)
    outcomes["CPR06"] = len(rows) - len(faults)
    good = [row for ods in odses for row in all_plans[ods].values()]
    states = collections.Counter(
        "withdrawn" if row["delete_date"] else "ended" if row["end_date"] else
        "future" if row["start_date"] > today.isoformat() else "open" for row in good)
    same(f"{where} records", len(rows), block["records"])
    same(f"{where} types", {name: types[name] for name in block["by_type"]}, block["by_type"])
    same(f"{where} outcomes", {name: outcomes[name] for name in block["outcomes"]}, block["outcomes"])
    same(f"{where} good", (len(good), len(faults)), (block["good"], block["rejected"]))
    same(f"{where} errors add up", sum(block["errors"].values()), block["rejected"])
    same(f"{where} states", {name: states[name] for name in block["good_by_state"]}, block["good_by_state"])
    children = count_children(all_plans, holders, odses, today)
    same(f"{where} children", {name: children.get(name, 0) for name in block["children"]}, block["children"])


def compare_changes(where, wanted, before, after, faults, rows):
    found = collections.Counter(rejected=len(faults))
    rejected = {(rows[line - 2]["nhs_number"], rows[line - 2]["plan_type"]) for line, _, _ in faults}
    for key, old in before.items():
        found["held_without_end"] += not old["end_date"]
        new = after.get(key)
        plan = ("start_date", "end_date", "local_id")
        if new is None:
            found["held_and_rejected" if key in rejected else
                  "dropped_after_365_days" if old["end_date"] else "vanished"] += 1
        elif new["delete_date"]:
            found["withdrawn"] += 1
        elif new["end_date"] and not old["end_date"]:
            found["ended"] += 1
        else:
            found["unchanged" if all(new[name] == old[name] for name in plan) else "changed"] += 1
    found["created"] = sum(1 for key in after if key not in before)
    same(f"{where} changes", {name: found[name] for name in wanted}, wanted)


def recount(folder, before):
    with open(os.path.join(folder, "expected.json"), encoding="utf-8") as file:
        expected = json.load(file)
    today = day(expected["date"])
    people = read_people(folder, expected)
    files = sorted(os.listdir(os.path.join(folder, "plans")))
    same("files of plans", files, sorted(ods + ".csv" for ods in expected["authorities"]))
    all_rows, all_faults, plans = {}, {}, {}
    for ods in expected["authorities"]:
        rows = all_rows[ods] = read(os.path.join(folder, "plans", ods + ".csv"), "nhs_number,plan_type,start_date,"
                                    "end_date,delete_date,local_id,family_name,given_names,birth_date")
        all_faults[ods], plans[ods] = judge(rows, people, today)
        same(f"{folder} {ods} rejected rows", all_faults[ods],
             [row[:3] for row in expected["authorities"][ods]["rejected_rows"]])
    holders = find_holders(plans)
    for ods, block in expected["authorities"].items():
        compare_block(f"{folder} {ods}", block, all_rows[ods], all_faults[ods], plans, holders, [ods], today)
        if before is not None:
            compare_changes(f"{folder} {ods}", block["changes"], before[ods], plans[ods], all_faults[ods], all_rows[ods])
    compare_block(f"{folder} in all", expected["all"], [row for rows in all_rows.values() for row in rows],
                  [fault for faults in all_faults.values() for fault in faults], plans, holders,
                  list(plans), today)
    if before is not None:
        sums = collections.Counter()
        for block in expected["authorities"].values():
            sums.update(block["changes"])
        same(f"{folder} changes in all", dict(sums), expected["all"]["changes"])
    return plans


held = recount(sys.argv[1], None)
if os.path.isdir(os.path.join(sys.argv[1], "next")):
    recount(os.path.join(sys.argv[1], "next"), held)
print(comparisons)
