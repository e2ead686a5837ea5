#!/usr/bin/env python3
"""Synthetic national data: authorities, people, plans, contacts, and what is wrong with some of it.

usage: generate.py --out DIR --seed N --date YYYY-MM-DD [--authorities 153] [--plans 250000] [--errors PERCENT]
                   [--change SEED2]

Everybody is invented. The same arguments make the same bytes on any machine; the clock is never read. See README.md.
"""
import argparse
import csv
import datetime
import json
import os
import random
import shutil
import sys

AUTHORITY_NAMES = {
    "383": "Leeds City Council", "846": "Brighton and Hove City Council", "706": "London Borough of Islington",
    "330": "Birmingham City Council", "352": "Manchester City Council", "801": "Bristol City Council",
    "391": "Newcastle City Council", "341": "Liverpool City Council", "373": "Sheffield City Council",
    "886": "Kent County Council",
}
FAMILY_NAMES = """Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White
Roberts Green Hall Wood Jackson Clarke Patel Khan Lewis James Phillips Mason Mitchell Rose Davis Hussain Ahmed Begum Ali
O'Neill O'Brien D'Souza Smith-Jones Okafor Adeyemi Nkosi Kowalski Nowak Łukaszewicz Müller García Fernández Nguyen Chen
Wang Singh Kaur Sharma Müstafa Öztürk Ångström Ó'Dálaigh MacDonald McGregor""".split() + [
    "de Souza", "van der Berg", "St. John", 'Ap "Rhys"', "Fitz, Gerald", "Le Brun"]
GIVEN_NAMES = {
    "female": """Olivia Amelia Isla Ava Mia Ivy Lily Freya Florence Aisha Fatima Maryam Zoë Chloé Siân Łucja Ngozi Mei
Priya Grace Sophie Ella Anna-Maria Noor""".split(),
    "male": """Noah Oliver George Arthur Muhammad Leo Harry Oscar Archie Jack Łukasz Zoltán Søren Kwame Wei Arjun Ibrahim
Finlay Rhys Tomasz Jean-Luc D'Angelo Samuel Yusuf""".split(),
}
# Shares are assumptions, close to what the Department for Education publishes each year: see README.md.
CPP_AGES = [(0, 0, 11), (1, 4, 25), (5, 9, 28), (10, 15, 32), (16, 17, 4)]
LAC_AGES = [(0, 0, 5), (1, 4, 13), (5, 9, 18), (10, 15, 38), (16, 17, 26)]
TYPE_SHARES = [("CPP", 35), ("LAC", 60), ("UCPP", 5)]
# Planted errors: name, weight, outcome, field.
ERRORS = [
    ("no_match", 15, "CPR01", "nhs_number"), ("sensitive", 8, "CPR02", "nhs_number"),
    ("other_name", 20, "CPR03", "nhs_number"), ("other_birth_date", 10, "CPR03", "nhs_number"),
    ("check_digit", 12, "CPR04", "nhs_number"), ("superseded", 8, "CPR05", "nhs_number"),
    ("unknown_type", 5, "CPR07", "plan_type"), ("ends_before_start", 6, "CPR07", "end_date"),
    ("ended_too_long_ago", 6, "CPR07", "end_date"), ("of_age", 5, "CPR07", "end_date"),
    ("unborn_on_a_man", 3, "CPR07", "plan_type"), ("no_birth_date", 2, "CPR07", "birth_date"),
]
NUMBERS_USABLE = 909091
COLUMNS = ["nhs_number", "plan_type", "start_date", "end_date", "delete_date", "local_id", "family_name", "given_names",
           "birth_date"]
DAY = datetime.timedelta(days=1)


def fail(text):
    sys.exit(f"generate.py: {text}")


def check_digit(stem):
    digit = (11 - sum((10 - i) * int(c) for i, c in enumerate(stem)) % 11) % 11
    return None if digit == 10 else str(digit)


def numbers(chance):
    """Valid NHS numbers of the range kept for tests, each once, in an order of this seed's."""
    stride, at = 10 ** 6 // 2 + 1 + 2 * chance.randrange(10 ** 5), chance.randrange(10 ** 6)
    while stride % 2 == 0 or stride % 5 == 0:
        stride += 1
    for _ in range(10 ** 6):
        at = (at + stride) % 10 ** 6
        stem = f"999{at:06d}"
        digit = check_digit(stem)
        # One digit ten times is no number.
        if digit is not None and len(set(stem + digit)) > 1:
            yield stem + digit


def weighted(chance, pairs):
    return chance.choices([p[0] for p in pairs], [p[1] for p in pairs])[0]


def years(date, count):
    try:
        return date.replace(year=date.year + count)
    except ValueError:
        return date.replace(year=date.year + count, day=28)


def draw_age(chance, bands, today):
    low, high, _ = bands[chance.choices(range(len(bands)), [b[2] for b in bands])[0]]
    youngest, oldest = years(today, -low), years(today, -high - 1) + DAY
    return oldest + DAY * chance.randrange(max(1, (youngest - oldest).days))


class Person:
    __slots__ = ("number", "family", "given", "birth", "sex", "status")

    def __init__(self, number, chance, birth, sex=None):
        self.number, self.birth = number, birth
        self.sex = sex or chance.choice(["female", "male"])
        self.family = chance.choice(FAMILY_NAMES)
        self.given = " ".join(chance.sample(GIVEN_NAMES[self.sex], chance.choice([1, 1, 2, 3])))
        self.status = "active"


class Nation:
    def __init__(self, options):
        self.options, self.today = options, options.date
        self.chance = random.Random(f"cpis {options.seed}")
        self.numbers = numbers(self.chance)
        self.people, self.rows, self.expected = [], {}, {}
        self.overlaps = self.doubles = self.local_ids = 0
        self.ods = self.authority_codes()
        # The largest has some twenty times the smallest.
        self.sizes = [self.chance.paretovariate(1.3) for _ in self.ods]
        self.sizes = [min(max(size, 1.0), 20.0) for size in self.sizes]

    def authority_codes(self):
        codes = list(AUTHORITY_NAMES)[:self.options.authorities]
        taken = set(codes)
        for code in range(201, 1000):
            if len(codes) == self.options.authorities:
                break
            if str(code) not in taken:
                codes.append(str(code))
        return sorted(codes)

    def number(self):
        number = next(self.numbers, None)
        if number is None:
            fail("there are no more NHS numbers in the range kept for tests: ask for fewer plans")
        return number

    def make_person(self, kind):
        chance, today = self.chance, self.today
        if kind == "UCPP":
            birth = years(today, -chance.randint(16, 42)) - DAY * chance.randrange(364)
            return Person(self.number(), chance, birth, "female")
        return Person(self.number(), chance, draw_age(chance, CPP_AGES if kind == "CPP" else LAC_AGES, today))

    def dates(self, person, kind):
        """Begun within three years and after birth; one in five has ended within twelve months."""
        chance, today = self.chance, self.today
        first = max(today - DAY * 1000, person.birth if kind != "UCPP" else today - DAY * 250)
        start = first + DAY * chance.randrange(max(1, (today - first).days))
        end = None
        if chance.random() < 0.2 and start < today:
            earliest = max(start, today - DAY * 360)
            end = earliest + DAY * chance.randrange(max(1, (today - earliest).days))
        elif chance.random() < 0.005:
            start = today + DAY * chance.randint(1, 60)
        return start, end

    def add_row(self, ods, person, kind):
        self.local_ids += 1
        start, end = self.dates(person, kind)
        row = {"nhs_number": person.number, "plan_type": kind, "start_date": start.isoformat(),
               "end_date": end.isoformat() if end else "", "delete_date": "", "local_id": f"L{ods}-{self.local_ids:07d}",
               "family_name": person.family, "given_names": person.given, "birth_date": person.birth.isoformat(),
               "_person": person, "_error": None}
        self.rows.setdefault(ods, []).append(row)
        return row

    def populate(self):
        chance, made = self.chance, 0
        while made < self.options.plans:
            kind = weighted(chance, TYPE_SHARES)
            person = self.make_person(kind)
            self.people.append(person)
            homes = [chance.choices(self.ods, self.sizes)[0]]
            if chance.random() < 0.02 and len(self.ods) > 1:
                homes.append(chance.choice([ods for ods in self.ods if ods != homes[0]]))
            kinds = [kind]
            if kind == "CPP" and chance.random() < 0.05:
                kinds.append("LAC")
            for ods in homes:
                for each in kinds:
                    if made < self.options.plans:
                        self.add_row(ods, person, each)
                        made += 1
            self.overlaps += len(homes) > 1
            self.doubles += len(kinds) > 1
        for ods in self.ods:
            self.rows.setdefault(ods, [])

    def spoil(self, row, name):
        chance, person, today = self.chance, row["_person"], self.today
        if name == "no_match":
            row["nhs_number"] = self.number()
        elif name == "sensitive":
            person.status = "sensitive"
        elif name == "superseded":
            person.status = "superseded"
            heir = Person(self.number(), chance, person.birth, person.sex)
            heir.family, heir.given = person.family, person.given
            self.people.append(heir)
        elif name == "other_name":
            row["family_name"] = "Misspelt" + row["family_name"]
        elif name == "other_birth_date":
            row["birth_date"] = (person.birth - DAY).isoformat()
        elif name == "check_digit":
            digit = (int(row["nhs_number"][9]) + 1) % 10
            row["nhs_number"] = row["nhs_number"][:9] + str(digit)
        elif name == "unknown_type":
            row["plan_type"] = "CIN"
        elif name == "ends_before_start":
            row["end_date"] = (datetime.date.fromisoformat(row["start_date"]) - DAY).isoformat()
        elif name == "ended_too_long_ago":
            row["end_date"] = (today - DAY * 400).isoformat()
            row["start_date"] = (today - DAY * 500).isoformat()
            person.birth = min(person.birth, today - DAY * 600)
            row["birth_date"] = person.birth.isoformat()
        elif name == "of_age":
            person.birth = years(today, -19)
            row["birth_date"], row["end_date"] = person.birth.isoformat(), ""
            row["start_date"] = (today - DAY * 600).isoformat()
        elif name == "unborn_on_a_man":
            person.sex = "male"
        elif name == "no_birth_date":
            row["birth_date"] = ""

    def plant_errors(self):
        """A person whose record is spoilt has one row only, so that no other row is spoilt with it."""
        chance = self.chance
        count = {}
        for rows in self.rows.values():
            for row in rows:
                count[row["_person"].number] = count.get(row["_person"].number, 0) + 1
        for ods in self.ods:
            for row in self.rows[ods]:
                if count[row["_person"].number] != 1 or chance.random() >= self.options.errors / 100:
                    continue
                name = weighted(chance, ERRORS)
                unborn = row["plan_type"] == "UCPP"
                if unborn != (name == "unborn_on_a_man") and (unborn or name == "unborn_on_a_man"):
                    continue
                self.spoil(row, name)
                row["_error"] = name

    def change(self):
        """The next day's extract of the same population: most of it as it was."""
        chance = self.chance = random.Random(f"cpis {self.options.seed} then {self.options.change}")
        counts = dict.fromkeys(("new", "changed", "ended", "withdrawn", "vanished"), 0)
        for ods in self.ods:
            kept = []
            for row in self.rows[ods]:
                draw = chance.random()
                sound = row["_error"] is None
                if sound and draw < 0.002:
                    counts["vanished"] += 1
                    continue
                if sound and draw < 0.006 and not row["end_date"] and row["start_date"] <= self.today.isoformat():
                    row["end_date"] = self.today.isoformat()
                    counts["ended"] += 1
                elif sound and draw < 0.008:
                    row["local_id"] += "-B"
                    counts["changed"] += 1
                elif sound and draw < 0.0085:
                    row["delete_date"] = self.today.isoformat()
                    counts["withdrawn"] += 1
                kept.append(row)
            self.rows[ods] = kept
        for _ in range(max(1, self.options.plans // 250)):
            kind = weighted(chance, TYPE_SHARES)
            person = self.make_person(kind)
            self.people.append(person)
            self.add_row(chance.choices(self.ods, self.sizes)[0], person, kind)
            counts["new"] += 1
        return counts

    def expectation(self, rows):
        outcomes = {"CPR06": 0}
        for row in rows:
            outcome = next((e[2] for e in ERRORS if e[0] == row["_error"]), "CPR06")
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        types = {kind: sum(row["plan_type"] == kind for row in rows) for kind, _ in TYPE_SHARES}
        errors = {}
        for row in rows:
            if row["_error"]:
                errors[row["_error"]] = errors.get(row["_error"], 0) + 1
        return {"records": len(rows), "types": types, "outcomes": outcomes, "errors": errors}

    # ---------------------------------------------------------------- files

    def write_csv(self, path, columns, rows):
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\r\n")
            writer.writeheader()
            writer.writerows(rows)

    def write(self, directory, counts):
        os.makedirs(os.path.join(directory, "plans"))
        for ods in self.ods:
            self.write_csv(os.path.join(directory, "plans", f"{ods}.csv"), COLUMNS, self.rows[ods])
        self.write_csv(os.path.join(directory, "people.csv"),
                       ["nhs_number", "family_name", "given_names", "birth_date", "sex", "status"],
                       ({"nhs_number": p.number, "family_name": p.family, "given_names": p.given,
                         "birth_date": p.birth.isoformat(), "sex": p.sex, "status": p.status} for p in self.people))
        self.write_csv(os.path.join(directory, "contacts.csv"),
                       ["ods", "emergency_duty_telephone", "office_hours_telephone", "last_confirmed"],
                       ({"ods": ods, "emergency_duty_telephone": f"01632 960{i:03d}",
                         "office_hours_telephone": f"01632 960{500 + i:03d}",
                         "last_confirmed": (self.today - DAY * (i % 120)).isoformat()}
                        for i, ods in enumerate(self.ods)))
        self.write_register(os.path.join(directory, "register.yaml"))
        everything = [row for ods in self.ods for row in self.rows[ods]]
        report = {"seed": self.options.seed, "date": self.today.isoformat(), "all": self.expectation(everything),
                  "people": len(self.people), "children_at_two_authorities": self.overlaps,
                  "children_with_two_types": self.doubles,
                  "authorities": {ods: self.expectation(self.rows[ods]) for ods in self.ods}}
        if counts:
            report["changes"] = counts
        with open(os.path.join(directory, "expected.json"), "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1, sort_keys=True)
            file.write("\n")

    def write_register(self, path):
        providers = [("RXH", "Synthetic Hospitals", "[emergency_department, maternity]"),
                     ("RYD", "Synthetic Ambulance Service", "[ambulance]"),
                     ("RDR", "Synthetic Community Health", "[school_nursing]"),
                     ("RXA", "Synthetic 111", "[nhs_111]")]
        with open(path, "w", encoding="utf-8") as file:
            file.write("# Synthetic. Made by tests/national/generate.py.\norganisations:\n")
            for ods, name, settings in providers:
                file.write(f'  - {{ods: "{ods}", name: "{name}", type: care_provider, care_settings: {settings}}}\n')
            for ods in self.ods:
                name = AUTHORITY_NAMES.get(ods, f"Synthetic Council {ods}")
                file.write(f'  - {{ods: "{ods}", name: "{name}", type: local_authority}}\n')
            file.write('  - {ods: "X26", name: "NHS England", type: national_body}\nrole_profiles:\n')
            for i, (ods, _, _) in enumerate(providers):
                file.write(f'  - {{uid: "555000{i + 1:06d}", role: R8001, organisation: "{ods}", from: 2026-01-01}}\n')
            for i, ods in enumerate(self.ods):
                file.write(f'  - {{uid: "555001{i + 1:06d}", role: R9535, organisation: "{ods}", from: 2026-01-01}}\n')


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="directory to make")
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--date", required=True, help="the day on which the data is of today, YYYY-MM-DD")
    parser.add_argument("--authorities", type=int, default=153)
    parser.add_argument("--plans", type=int, default=250000)
    parser.add_argument("--errors", type=float, default=2.0, help="per cent of records with something wrong")
    parser.add_argument("--change", type=int, help="make the next day's extract instead, by this seed")
    options = parser.parse_args()
    try:
        options.date = datetime.date.fromisoformat(options.date)
    except ValueError:
        fail(f"--date {options.date}: not a date, as YYYY-MM-DD")
    if not 2000 <= options.date.year <= 2150:
        fail("--date: a year from 2000 to 2150")
    if not 1 <= options.authorities <= 500:
        fail("--authorities: 1 to 500")
    if not 1 <= options.plans:
        fail("--plans: 1 or more")
    if not 0 <= options.errors <= 100:
        fail("--errors: 0 to 100 per cent")
    if options.plans > NUMBERS_USABLE:
        fail(f"--plans: at most {NUMBERS_USABLE}: the range kept for tests has no more NHS numbers")
    if os.path.exists(options.out) and (not os.path.isdir(options.out) or os.listdir(options.out)):
        fail(f"{options.out}: is there already; name a directory that is not")
    return options


def main():
    options = parse_arguments()
    nation = Nation(options)
    nation.populate()
    nation.plant_errors()
    counts = nation.change() if options.change is not None else None
    beside = f"{options.out.rstrip('/')}.{os.getpid()}.new"
    try:
        nation.write(beside, counts)
        if os.path.isdir(options.out):
            os.rmdir(options.out)
        os.rename(beside, options.out)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        fail(f"{error.filename or options.out}: {error.strerror}")


if __name__ == "__main__":
    main()
