"""Makes up the plans of a whole country, the people they are about, and what has to become of each row.

usage: generate.py --out DIR --seed N --date YYYY-MM-DD [--authorities 153] [--plans 250000] [--errors 2] [--change SEED2]

The same options make the same bytes on any machine: nothing is drawn but by random(), nothing is reckoned in
floating point that rounds differently elsewhere, and neither clock nor environment is read. README.md beside this file
says what is in the files and what is assumed.
"""
import sys

sys.dont_write_bytecode = True  # nothing is left in the source tree

import argparse
import csv
import json
import os
import random
import re
import shutil
import signal
from datetime import date
from fractions import Fraction

import tables

HEADER = ["nhs_number", "plan_type", "start_date", "end_date", "delete_date", "local_id", "family_name", "given_names",
          "birth_date"]
PEOPLE_HEADER = "nhs_number,family_name,given_names,birth_date,sex,status\n"
CONTACTS_HEADER = "ods,emergency_duty_telephone,office_hours_telephone,last_confirmed\n"
# Of the million nine-digit stems from 999 000 000 on, those with a check digit, but for the ten equal digits.
NUMBERS_MAX = 909090
STEMS = 1000000
AUTHORITIES_MAX = 500  # two telephone numbers each, of a thousand
PLANS_PER_AUTHORITY_MIN = 10
ERRORS_MAX = 50
YEARS = (2000, 2150)
ENDED_DAYS_MAX = 365
TYPES = ("CPP", "LAC", "UCPP")
# Of a child whose bounds of age must hold tomorrow as well.
WELL_UNDER_18_DAYS = 6500
ERROR_FACTS = {name: (code, field) for _, name, code, field in tables.ERRORS}
# Where the row could be put right, it is kept.
FIXABLE = {"family_name_differs", "given_names_differ", "birth_date_differs", "check_digit", "unknown_type", "not_a_date",
           "superseded"}
OF_ANY_TYPE = {"no_match", "sensitive", "family_name_differs", "given_names_differ", "check_digit", "old_style_number",
               "superseded", "invalid"}


class Refusal(Exception):
    """What is wrong, where, and what to do about it."""


# ------------------------------------------------------------------ drawing

class Dice:
    """A stream of its own for each purpose, so that one does not shift another."""

    def __init__(self, *label):
        self.roll = random.Random("/".join(str(part) for part in label)).random

    def below(self, bound):
        return int(self.roll() * bound)

    def between(self, low, high):
        return low + int(self.roll() * (high - low + 1))

    def pick(self, items):
        return items[int(self.roll() * len(items))]

    def shuffled(self, items):
        items = list(items)
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items


def expand(weighted):
    """[(share, ...)] as a list in which each stands as often as its share says."""
    return [tuple(rest) for share, *rest in weighted for _ in range(share)]


def shares(total, weights, at_least=0):
    """`total` dealt out by weight: whole numbers, `at_least` to each, that add up."""
    rest, weight_sum = total - at_least * len(weights), sum(weights)
    dealt, before = [], 0
    for weight in weights:
        before += weight
        dealt.append(rest * before // weight_sum)
    return [at_least + now - (dealt[i - 1] if i else 0) for i, now in enumerate(dealt)]


class Numbers:
    """NHS numbers, each once, in an order that looks like none: from the front for the first extract, from the back for
    what the second one adds, so that --change does not alter the first."""

    HIGH = [(i // 100) * 7 + (i // 10 % 10) * 6 + (i % 10) * 5 for i in range(1000)]
    LOW = [(i // 100) * 4 + (i // 10 % 10) * 3 + (i % 10) * 2 for i in range(1000)]

    def __init__(self, dice):
        self.step = 2 * dice.below(200000) + 300001
        self.step += 2 if self.step % 5 == 0 else 0  # no factor in common with the million
        self.shift = dice.below(STEMS)
        self.front, self.back = 0, STEMS - 1

    def at(self, place):
        stem = (place * self.step + self.shift) % STEMS
        check = -(243 + self.HIGH[stem // 1000] + self.LOW[stem % 1000]) % 11  # 243: of 999
        return None if check == 10 or stem == 999999 else f"999{stem:06d}{check}"

    def next(self):
        while self.front <= self.back:
            self.front += 1
            number = self.at(self.front - 1)
            if number is not None:
                return number
        raise Refusal(f"there are {NUMBERS_MAX} NHS numbers kept for tests and they are used up: lower --plans")

    def next_from_back(self):
        while self.front <= self.back:
            self.back -= 1
            number = self.at(self.back + 1)
            if number is not None:
                return number
        raise Refusal(f"there are {NUMBERS_MAX} NHS numbers kept for tests and they are used up: lower --plans")


class Calendar:
    """Days as ordinals, written once."""

    def __init__(self, today):
        self.today = today.toordinal()
        self.first = self.today - 90 * 366
        self.text = [date.fromordinal(day).isoformat() for day in range(self.first, self.today + 4 * 366)]

    def iso(self, day):
        return self.text[day - self.first]

    def years_before(self, years, day):
        """The birth date of who has that birthday on `day`; written dates compare as they are."""
        text = self.iso(day)
        return f"{int(text[:4]) - years:04d}{text[4:]}"


def words(text):
    return [word.replace("_", " ") for word in text.split()]


NAMES = expand([(share, words(family), words(girls), words(boys)) for share, family, girls, boys in tables.ORIGINS])
AGES = {plan_type: expand([(share, low * 1461 // 4, min(high * 1461 // 4, 6573)) if plan_type != "UCPP" else
                           (share, low * 1461 // 4 + 1, high * 1461 // 4) for low, high, share in ages])
        for plan_type, ages in tables.AGES.items()}
CASES = expand(tables.CASES)
NEW_TYPES = ["CPP"] * 6 + ["LAC"] * 3 + ["UCPP"]


class Person:
    __slots__ = ("number", "family", "given", "birth", "born", "sex")


class Row:
    """A row of a plans file. `kind`: the planted error; `fix`: the fields as they should be; `alone`: whom it is about,
    who is in no other row; `pinned`: another row is a duplicate of it; `key`: its place in the file."""
    __slots__ = ("fields", "kind", "fix", "pinned", "alone", "key")

    def __init__(self, fields, kind=None, alone=None, key=0):
        self.fields, self.kind, self.alone, self.key = fields, kind, alone, key
        self.fix, self.pinned = None, False


def quoted(text):
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text


class People:
    """Everybody the demographics service knows, as lines of its file."""

    def __init__(self, calendar, numbers):
        self.calendar, self.numbers = calendar, numbers
        self.lines, self.later_lines, self.later_status = [], [], {}
        self.later = False  # the second extract is being made

    def add(self, person, status="active"):
        line = (f"{person.number},{quoted(person.family)},{quoted(person.given)},{person.birth},{person.sex},"
                f"{status}\n")
        (self.later_lines if self.later else self.lines).append(line)

    def take_number(self):
        return self.numbers.next_from_back() if self.later else self.numbers.next()

    def make(self, dice, born, sex=None, family=None):
        """Somebody who is in no file yet. `family`: a family name and its origin."""
        person, roll = Person(), dice.roll
        person.number = self.take_number()
        if sex is None:
            person.sex = "female" if roll() < 0.48 else "male" if roll() < 0.998 else "unknown"
        else:
            person.sex = sex
        origin = family[1] if family else NAMES[int(roll() * 100)]
        person.family = family[0] if family else dice.pick(origin[0])
        given = origin[1] if person.sex == "female" or (person.sex == "unknown" and roll() < 0.5) else origin[2]
        first, count = dice.pick(given), roll()
        person.given = first
        if count < 0.75:
            second = dice.pick(given)
            person.given = f"{first} {second}" if second != first else first
            if count < 0.12 and second != first:
                person.given += " " + dice.pick(given)
        odd = roll()
        if odd < 0.001:
            person.family = dice.pick(tables.QUOTED_FAMILY)
        elif odd < 0.002:
            person.given = dice.pick(tables.QUOTED_GIVEN)
        person.birth = self.calendar.iso(born)
        # Whether those born on 29 February come of age on 28 February or on 1 March is not for test data to say.
        if person.birth.endswith("-02-29") and self.calendar.today - born > 16 * 365:
            born -= 1
            person.birth = self.calendar.iso(born)
        person.born = born
        return person

    def renew(self, person, dice, family=None):
        """The same human under a new number; nothing links the two."""
        new = Person()
        new.number, new.family, new.given = self.take_number(), family or person.family, person.given
        new.birth, new.born, new.sex = person.birth, person.born, person.sex
        self.add(new)
        return new


# ------------------------------------------------------------------ one authority

class Authority:
    def __init__(self, index, ods, weight, name, records):
        self.index, self.ods, self.weight, self.name, self.records = index, ods, int(weight), name, records
        self.errors = []      # kinds
        self.changes = []     # of the second extract
        self.good_left = 0
        self.twins = self.mothers = self.spare = 0
        self.rows = []
        self.cases = 0

    def local_id(self, dice):
        self.cases += 1 + dice.below(3)
        if dice.roll() < 0.04:
            return ""
        style = self.index % 4
        if style == 0:
            return f"{self.ods}-{self.cases:06d}"
        if style == 1:
            return f"P{1000000 + self.cases}"
        return f"CH/{self.cases:05d}" if style == 2 else f"LCS-{self.index:03d}-{self.cases:05d}"


class Maker:
    """Makes rows of one authority."""

    def __init__(self, authority, people, calendar, dice):
        self.authority, self.people, self.calendar, self.dice = authority, people, calendar, dice
        self.family, self.family_start = None, 0

    def given_names(self, person):
        """As an authority has them: by the ladder of matching, all of these are verified."""
        chance = self.dice.roll()
        if chance > 0.13 or '"' in person.given or "," in person.given:
            return person.given
        names = person.given.split(" ")
        return names[1] if chance < 0.012 and len(names) > 1 else names[0]

    def row(self, person, plan_type, start, end, local_id, alone=None):
        iso = self.calendar.iso
        return Row([person.number, plan_type, iso(start), "" if end is None else iso(end), "", local_id, person.family,
                    self.given_names(person), person.birth], alone=alone, key=self.dice.roll())

    def dates(self, plan_type, state, age_days_max=9999999):
        """Birth, start and end, as days."""
        roll, today = self.dice.roll, self.calendar.today
        low, high = AGES[plan_type][int(roll() * 100)] if plan_type == "UCPP" else self.age(plan_type)
        end = today - int(roll() * (ENDED_DAYS_MAX + 1)) if state == "ended" else None
        reference = today if end is None else end
        age_days = min(low + int(roll() * (high - low)), age_days_max)
        if state == "future":
            return today - min(age_days, WELL_UNDER_18_DAYS), today + 1 + int(roll() * 28), None
        born = reference - age_days
        if plan_type == "UCPP":
            return born, reference - int(roll() * 200), end
        # Most plans are short, so the square.
        longest = min(age_days + 1, 800 if plan_type == "CPP" else 3600)
        start = reference - int(roll() * roll() * longest)
        weekend = (start + 1) % 7  # 0 Saturday, 1 Sunday
        if weekend < 2 and start - 1 - weekend >= born:
            start -= 1 + weekend
        return born, start, end

    def age(self, plan_type):
        ages = AGES[plan_type]
        return ages[int(self.dice.roll() * len(ages))]

    def single(self, plan_type, state, age_days_max=9999999, sex=None):
        born, start, end = self.dates(plan_type, state, age_days_max)
        if plan_type == "UCPP" or sex is not None:
            person = self.people.make(self.dice, born, sex or "female")
        else:
            # Brothers and sisters come together.
            related = self.family is not None and self.dice.roll() < 0.45
            person = self.people.make(self.dice, born, None, self.family if related else None)
            if related and state == "open" and born <= self.family_start:
                start = self.family_start
            origin = self.family[1] if related else next_origin(person)
            self.family = (person.family, origin) if origin else None
            self.family_start = start if state == "open" else self.family_start
        return person, self.row(person, plan_type, start, end, self.authority.local_id(self.dice), alone=person)

    def good(self):
        plan_type, state = CASES[int(self.dice.roll() * 1000)]
        person, row = self.single(plan_type, state)
        # A child who has died: the plan was ended, the demographics service still knows who it was.
        dead = state == "ended" and plan_type != "UCPP" and self.dice.roll() < 0.0005
        self.people.add(person, "deceased" if dead else "active")
        return [row]

    def two_types(self):
        """A child on a plan who is looked after too."""
        born, start, end = self.dates("CPP", "open")
        person = self.people.make(self.dice, born)
        self.people.add(person)
        local_id = self.authority.local_id(self.dice)
        later = self.calendar.today - self.dice.below(self.calendar.today - start + 1)
        return [self.row(person, "CPP", start, end, local_id), self.row(person, "LAC", later, None, local_id)]

    def looked_after_mother(self):
        today = self.calendar.today
        born = today - self.dice.between(15 * 366, WELL_UNDER_18_DAYS)
        person = self.people.make(self.dice, born, "female")
        self.people.add(person)
        local_id = self.authority.local_id(self.dice)
        return [self.row(person, "LAC", today - self.dice.between(30, 2000), None, local_id),
                self.row(person, "UCPP", today - self.dice.between(0, 180), None, local_id)]

    def other_family(self, person):
        return self.dice.pick([name for name in NAMES[0][0] if name != person.family])

    # -------------------------------------------------------------- errors

    def bad(self, kind):
        if kind == "duplicate_row":
            return self.duplicate()
        dice = self.dice
        plan_type = "CPP" if dice.roll() < 0.5 else "LAC"
        if kind in OF_ANY_TYPE and dice.roll() < 0.05:
            plan_type = "UCPP"
        make = getattr(self, "bad_" + kind)
        sex = {"unborn_on_male": "male", "unborn_mother_age": "female"}.get(kind)
        person, row = self.single(plan_type, "open", WELL_UNDER_18_DAYS if plan_type != "UCPP" else 9999999, sex)
        right = list(row.fields)
        status = make(person, row, right)
        row.kind, row.alone = kind, None
        row.fix = right if kind in FIXABLE else None
        if status is not None:
            self.people.add(person, status)
        return row

    # Each spoils one thing. `right`: the row as it would be right. Returns the person's status in the file of people;
    # None: is not there.

    def bad_no_match(self, person, row, right):
        return None

    def bad_sensitive(self, person, row, right):
        return "sensitive"

    def bad_superseded(self, person, row, right):
        right[0] = self.people.renew(person, self.dice).number
        return "superseded"

    def bad_invalid(self, person, row, right):
        # As after an adoption.
        self.people.renew(person, self.dice, self.other_family(person))
        return "invalid"

    def bad_family_name_differs(self, person, row, right):
        row.fields[6] = self.other_family(person)
        return "active"

    def bad_given_names_differ(self, person, row, right):
        known = set(person.given.split(" "))
        names = NAMES[0][1] if person.sex == "female" else NAMES[0][2]
        row.fields[7] = self.dice.pick([name for name in names if known.isdisjoint(name.split(" "))])
        return "active"

    def bad_birth_date_differs(self, person, row, right):
        year, month, day = person.birth.split("-")
        # Day and month exchanged, or some days off; towards younger, and still before today.
        if int(day) <= 12 and day > month and f"{year}-{day}-{month}" <= row.fields[2]:
            row.fields[8] = f"{year}-{day}-{month}"
        else:
            row.fields[8] = self.calendar.iso(person.born - self.dice.between(1, 20))
        return "active"

    def bad_check_digit(self, person, row, right):
        place = self.dice.between(3, 9)
        digit = (int(person.number[place]) + self.dice.between(1, 9)) % 10
        row.fields[0] = f"{person.number[:place]}{digit}{person.number[place + 1:]}"
        return "active"

    def bad_old_style_number(self, person, row, right):
        row.fields[0] = "".join(self.dice.pick("ABDHKLMTWZ") for _ in range(4)) + str(self.dice.between(100, 999))
        return "active"

    def bad_start_after_end(self, person, row, right):
        start = self.calendar.today - self.dice.between(0, 200)
        start = max(start, person.born + 1)
        row.fields[2], row.fields[3] = self.calendar.iso(start), self.calendar.iso(start - self.dice.between(1, 60))
        return "active"

    def bad_unknown_type(self, person, row, right):
        row.fields[1] = self.dice.pick(["CIN", "CP", "LCA", "EHP"])
        return "active"

    def bad_ended_over_365_days_ago(self, person, row, right):
        days = self.dice.between(366, 366) if self.dice.roll() < 0.2 else self.dice.between(367, 1200)
        end = self.calendar.today - days
        # Somebody old enough to have had it.
        born = end - self.dice.between(400, 4000)
        self.reborn(person, row, born)
        row.fields[2] = self.calendar.iso(end - self.dice.between(0, 390))
        row.fields[3] = self.calendar.iso(end)
        return "active"

    def bad_unborn_on_male(self, person, row, right):
        self.reborn(person, row, self.calendar.today - self.dice.between(15 * 366, 45 * 365))
        self.unborn(row)
        return "active"

    def bad_unborn_mother_age(self, person, row, right):
        years = self.dice.between(3, 8) if self.dice.roll() < 0.5 else self.dice.between(62, 80)
        self.reborn(person, row, self.calendar.today - years * 1461 // 4 - self.dice.between(0, 180))
        self.unborn(row)
        return "active"

    def bad_adult_without_end(self, person, row, right):
        days = 0 if self.dice.roll() < 0.2 else self.dice.between(1, 800)
        text = self.calendar.years_before(18, self.calendar.today)
        birthday = date.fromisoformat(text.replace("-02-29", "-02-28")).toordinal()
        self.reborn(person, row, birthday - days)
        row.fields[2] = self.calendar.iso(self.calendar.today - self.dice.between(900, 2500))
        return "active"

    def bad_birth_in_future(self, person, row, right):
        row.fields[8] = self.calendar.iso(self.calendar.today + self.dice.between(2, 400))
        return "active"

    def bad_start_before_birth(self, person, row, right):
        row.fields[2] = self.calendar.iso(person.born - self.dice.between(400, 1500))
        return "active"

    def bad_start_far_ahead(self, person, row, right):
        self.reborn(person, row, self.calendar.today - self.dice.between(0, 5000))
        row.fields[2] = self.calendar.iso(self.calendar.today + self.dice.between(400, 800))
        return "active"

    def bad_not_a_date(self, person, row, right):
        year, month, day = row.fields[2].split("-")
        row.fields[2] = self.dice.pick([f"{day}/{month}/{year}", f"{year}{month}{day}", f"{year}-02-30", ""])
        return "active"

    def reborn(self, person, row, born):
        person.born, person.birth = born, self.calendar.iso(born)
        row.fields[8] = person.birth

    def unborn(self, row):
        row.fields[1] = "UCPP"
        row.fields[2] = self.calendar.iso(self.calendar.today - self.dice.between(0, 180))

    def duplicate(self):
        """A plan that stands in the file already: as it is, or from a second case."""
        # Not of one that will be ended or dropped by tomorrow: its duplicate would become the plan.
        limit = self.calendar.years_before(18, self.calendar.today + 30)
        dropped = self.calendar.iso(self.calendar.today - ENDED_DAYS_MAX)
        rows = [row for row in self.authority.rows if row.kind is None and row.fields[3] != dropped and
                (row.fields[8] > limit or row.fields[3] or row.fields[1] == "UCPP")]
        rows = [row for row in rows if not row.pinned] or rows
        if not rows:
            return self.bad("no_match")
        first = self.dice.pick(rows)
        first.pinned = True
        copy = Row(list(first.fields), "duplicate_row", key=first.key + (1 - first.key) * self.dice.roll())
        if self.dice.roll() < 0.5:
            copy.fields[5] = self.authority.local_id(self.dice)
        return copy


def next_origin(person):
    """The origin of a new family, by its name; None where the name is nobody's."""
    return ORIGIN_OF.get(person.family)


ORIGIN_OF = {name: origin for origin in reversed(NAMES) for name in origin[0]}


# ------------------------------------------------------------------ what has to come of it

class Tally:
    """Counts of one file, or of all."""

    def __init__(self, ods=None):
        self.ods = ods
        self.records = 0
        self.types = dict.fromkeys([*TYPES, "other"], 0)
        self.good = dict.fromkeys([*TYPES], 0)
        self.states = dict.fromkeys(["open", "ended", "future", "withdrawn"], 0)
        self.errors = {name: 0 for _, name, _, _ in tables.ERRORS}
        self.children = {}
        self.rejected = []
        self.changes = {}

    def count(self, rows, calendar):
        today, of_age = calendar.iso(calendar.today), calendar.years_before(17, calendar.today)
        children = self.children
        for line, row in enumerate(rows, 2):
            number, plan_type, start, end, withdrawn, _, _, _, birth = row.fields
            self.types[plan_type if plan_type in TYPES else "other"] += 1
            if row.kind is not None:
                self.errors[row.kind] += 1
                self.rejected.append([line, *ERROR_FACTS[row.kind], row.kind])
                continue
            self.good[plan_type] += 1
            state = "withdrawn" if withdrawn else "ended" if end else "future" if start > today else "open"
            self.states[state] += 1
            if withdrawn:
                continue
            bits = 1 << TYPES.index(plan_type)
            if state == "ended":
                bits |= 8
            elif state == "future":
                bits |= 16
            if not end and plan_type != "UCPP" and birth <= of_age:
                bits |= 32
            children[number] = children.get(number, 0) | bits
        self.records += len(rows)

    def add(self, other, seen):
        """Takes another's counts over, and who stands in both."""
        self.records += other.records
        for mine, theirs in [(self.types, other.types), (self.good, other.good), (self.states, other.states),
                             (self.errors, other.errors)]:
            for name, count in theirs.items():
                mine[name] += count
        for name, count in other.changes.items():
            self.changes[name] = self.changes.get(name, 0) + count
        children = self.children
        for number, bits in other.children.items():
            known = children.get(number)
            if known is not None:
                bits |= known | 64
                seen.add(number)
            children[number] = bits

    def block(self, seen):
        bits = self.children.values()
        outcomes = dict.fromkeys(["CPR01", "CPR02", "CPR03", "CPR04", "CPR05", "CPR06", "CPR07"], 0)
        outcomes["CPR06"] = good = sum(self.good.values())
        for name, count in self.errors.items():
            outcomes[ERROR_FACTS[name][0]] += count
        said = {
            "records": self.records, "by_type": self.types, "good": good, "rejected": self.records - good,
            "good_by_type": self.good, "good_by_state": self.states, "outcomes": outcomes,
            "errors": {name: count for name, count in self.errors.items() if count},
            "children": {
                "all": len(self.children),
                "at_two_authorities": sum(1 for number in self.children if number in seen),
                "with_two_types": sum(1 for each in bits if (each & 7) not in (1, 2, 4)),
                "ended_within_12_months": sum(1 for each in bits if each & 8),
                "starting_in_the_future": sum(1 for each in bits if each & 16),
                "turning_18_within_a_year": sum(1 for each in bits if each & 32),
            },
        }
        if self.ods is not None:
            said["file_outcome"] = "CPF02" if good == self.records else "CPF03" if good else "CPF04"
            said["rejected_rows"] = self.rejected
        if self.changes:
            said["changes"] = self.changes
        return said


# ------------------------------------------------------------------ the whole country

class Country:
    def __init__(self, options):
        self.options = options
        self.calendar = Calendar(options.date)
        self.numbers = Numbers(Dice(options.seed, "numbers"))
        self.people = People(self.calendar, self.numbers)
        self.authorities = self.make_authorities()
        self.deal_errors()
        self.deal_changes()
        self.deal_children()

    def make_authorities(self):
        chosen = list(tables.AUTHORITIES[:self.options.authorities])
        taken = {ods for ods, _, _ in tables.AUTHORITIES}
        free = (str(code) for code in range(101, 1000) if str(code) not in taken)
        for i in range(len(chosen), self.options.authorities):
            chosen.append([next(free), str(2 + i % 6), f"Synthetic Council {i - len(tables.AUTHORITIES) + 1:03d}"])
        records = shares(self.options.plans, [int(weight) for _, weight, _ in chosen], 4)
        return [Authority(i, *facts, records[i]) for i, facts in enumerate(chosen)]

    def deal_errors(self):
        wanted = int(self.options.errors * self.options.plans / 100 + Fraction(1, 2))
        kinds = [name for _, name, _, _ in tables.ERRORS]
        weights = [share for share, _, _, _ in tables.ERRORS]
        if wanted < len(kinds):
            order = sorted(range(len(kinds)), key=lambda i: (-weights[i], i))[:wanted]
            deck = [kinds[i] for i in order]
        else:
            deck = [kind for kind, count in zip(kinds, shares(wanted, weights, 1)) for _ in range(count)]
        deck = Dice(self.options.seed, "errors").shuffled(deck)
        dealt = records = 0
        for authority in self.authorities:
            records += authority.records
            upto = wanted * records // self.options.plans
            # Not more than leaves a good row to each.
            authority.errors = deck[dealt:upto]
            dealt = upto
            authority.good_left = authority.records - len(authority.errors)

    def deal_changes(self):
        if self.options.change is None:
            return
        dice = Dice(self.options.seed, self.options.change, "changes")
        by_weight = [authority for authority in self.authorities for _ in range(authority.records)]
        for per_million, kind in tables.CHANGES:
            for _ in range(max(1, self.options.plans * per_million // 1000000)):
                dice.pick(by_weight).changes.append(kind)

    def deal_children(self):
        """Who is known twice. What does not fit into a small file is left out."""
        good = sum(authority.good_left for authority in self.authorities)
        done = 0
        for authority in self.authorities:
            before, done = done, done + authority.good_left
            authority.twins = done * 230 // 10000 - before * 230 // 10000
            authority.mothers = done * 8 // 10000 - before * 8 // 10000
            while 2 * (authority.twins + authority.mothers) > authority.good_left:
                authority.twins, authority.mothers = max(0, authority.twins - 1), 0
            authority.spare = authority.good_left - 2 * authority.twins - 2 * authority.mothers - 2
        self.overlaps = []
        dice = Dice(self.options.seed, "overlaps")
        by_weight = [authority for authority in self.authorities for _ in range(authority.weight)]
        for _ in range(good * 191 // 10000):
            one, other = dice.pick(by_weight), dice.pick(by_weight)
            if one is other or one.spare < 1 or other.spare < 1:
                continue
            for authority in (one, other):
                authority.spare -= 1
                authority.good_left -= 1
            self.overlaps.append((one, other))
        self.persons = good - len(self.overlaps) - sum(a.twins + a.mothers for a in self.authorities)
        bad = [kind for authority in self.authorities for kind in authority.errors]
        self.persons += len(bad) - bad.count("duplicate_row") + bad.count("superseded") + bad.count("invalid")
        if self.options.change is not None:
            later = [kind for authority in self.authorities for kind in authority.changes]
            self.persons += later.count("new") + later.count("now_superseded") + later.count("now_invalid")
        if self.persons > NUMBERS_MAX:
            raise Refusal(f"--plans {self.options.plans} needs {self.persons} NHS numbers and {NUMBERS_MAX} are kept for "
                          f"tests (999 000 0000 to 999 999 9999): lower --plans to about "
                          f"{self.options.plans * NUMBERS_MAX // self.persons // 1000 * 1000}")

    def make_overlaps(self):
        dice = Dice(self.options.seed, "overlapping children")
        today = self.calendar.today
        for one, other in self.overlaps:
            first, second = (Maker(a, self.people, self.calendar, dice) for a in (one, other))
            plan_type = "CPP" if dice.roll() < 0.5 else "LAC"
            born, start, _ = first.dates(plan_type, "open")
            person = self.people.make(dice, born)
            self.people.add(person)
            # Moved, and the old authority has ended its plan; or both hold one.
            moved = dice.roll() < 0.3
            later = today - dice.below(min(today - start, 60) + 1)
            end = later if moved else None
            other_type = plan_type if moved or dice.roll() < 0.6 else "LAC" if plan_type == "CPP" else "CPP"
            one.rows.append(first.row(person, plan_type, start, end, one.local_id(dice)))
            other.rows.append(second.row(person, other_type, later, None, other.local_id(dice)))

    def fill(self, authority):
        """All rows of its file, in their order."""
        maker = Maker(authority, self.people, self.calendar, Dice(self.options.seed, "plans", authority.ods))
        rows = authority.rows
        for _ in range(authority.twins):
            rows += maker.two_types()
        for _ in range(authority.mothers):
            rows += maker.looked_after_mother()
        for _ in range(authority.good_left - 2 * authority.twins - 2 * authority.mothers):
            rows += maker.good()
        for kind in sorted(authority.errors, key=lambda kind: kind == "duplicate_row"):
            rows.append(maker.bad(kind))
        rows.sort(key=lambda row: row.key)

    # -------------------------------------------------------------- a day later

    def day_later(self, authority, tomorrow):
        """The rows of the second extract, and what has become of those of the first."""
        dice = Dice(self.options.seed, self.options.change, "day", authority.ods)
        calendar, people = self.calendar, self.people
        maker = Maker(authority, people, tomorrow, dice)
        today, now = calendar.iso(calendar.today), tomorrow.iso(tomorrow.today)
        of_age = tomorrow.years_before(18, tomorrow.today)
        drop_end = calendar.iso(calendar.today - ENDED_DAYS_MAX)
        changes = dict.fromkeys(["created", "changed", "ended", "withdrawn", "unchanged", "vanished", "rejected",
                                 "held_without_end", "held_and_rejected", "dropped_after_365_days"], 0)
        # What happens to which row: drawn first, each row at most once.
        fate = {}
        for kind in authority.changes:
            for _ in range(300 if kind != "new" and authority.rows else 0):
                place = dice.below(len(authority.rows))
                if place not in fate and self.can_become(kind, authority.rows[place], today, of_age, drop_end):
                    fate[place] = kind
                    break
        rows = []
        for i, row in enumerate(authority.rows):
            changes["held_without_end"] += row.kind is None and not row.fields[3]
            new, what = self.next_row(row, fate.get(i), maker, now, of_age, drop_end)
            changes[what] += 1
            if new is not None:
                rows.append(new)
                changes["rejected"] += what == "held_and_rejected"
        for _ in range(authority.changes.count("new")):
            person, row = maker.single(dice.pick(NEW_TYPES), "open")
            people.add(person)
            start = max(tomorrow.today - dice.below(5), person.born)
            row.fields[2] = tomorrow.iso(start)
            rows.append(row)
            changes["created"] += 1
        rows.sort(key=lambda row: row.key)
        return rows, changes

    @staticmethod
    def can_become(kind, row, today, of_age, drop_end):
        if row.kind is not None or kind == "error_put_right":
            return kind == "error_put_right" and row.fix is not None
        _, plan_type, start, end, _, _, _, _, birth = row.fields
        if row.pinned or (end and end == drop_end) or (not end and plan_type != "UCPP" and birth <= of_age):
            return False
        running = not end and start <= today
        if kind.startswith("now_"):
            return row.alone is not None and running
        return running if kind in ("ended", "vanished") else True

    def next_row(self, row, fate, maker, now, of_age, drop_end):
        """The row a day later (None: it is not there) and what that is."""
        if row.kind is not None:
            if fate == "error_put_right":
                return Row(list(row.fix), key=row.key), "created"
            return row, "rejected"
        of_age_now = not row.fields[3] and row.fields[1] != "UCPP" and row.fields[8] <= of_age
        if fate is None and not of_age_now and (not row.fields[3] or row.fields[3] != drop_end):
            return row, "unchanged"
        fields = list(row.fields)
        new = Row(fields, key=row.key)
        if fields[3] and fields[3] == drop_end:
            return None, "dropped_after_365_days"
        if fate is None:
            fields[3] = now
            return new, "ended"
        if fate == "vanished":
            return None, "vanished"
        if fate == "ended":
            fields[3] = max(fields[2], maker.calendar.iso(maker.calendar.today - maker.dice.below(3)))
            return new, "ended"
        if fate == "withdrawn":
            fields[4] = now
            return new, "withdrawn"
        if fate == "changed":
            start = date.fromisoformat(fields[2]).toordinal() + maker.dice.between(1, 3)
            if maker.dice.roll() < 0.5 and maker.calendar.iso(start) <= (fields[3] or now):
                fields[2] = maker.calendar.iso(start)
            else:
                old = fields[5]
                while fields[5] == old:
                    fields[5] = maker.authority.local_id(maker.dice)
            return new, "changed"
        new.kind = fate.removeprefix("now_")
        self.people.later_status[fields[0]] = new.kind
        if new.kind == "superseded":
            self.people.renew(row.alone, maker.dice)
        elif new.kind == "invalid":
            self.people.renew(row.alone, maker.dice, maker.other_family(row.alone))
        return new, "held_and_rejected"


# ------------------------------------------------------------------ files

def write(path, text):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.writelines(text)


def write_plans(path, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows([row.fields for row in rows])


def write_people(path, lines, status):
    """In the order of the numbers, so that the place says nothing. Returns how many have which status."""
    lines = sorted(lines)
    counts = dict.fromkeys(["active", "sensitive", "superseded", "invalid", "deceased"], 0)
    for i, line in enumerate(lines):
        if line[:10] in status:
            lines[i] = line = f"{line[:line.rindex(',')]},{status[line[:10]]}\n"
        counts[line[line.rindex(",") + 1:-1]] += 1
    write(path, [PEOPLE_HEADER, *lines])
    return counts


def write_expected(path, facts, national, authorities, people):
    seen = set()
    for tally in authorities:
        national.add(tally, seen)
    blocks = [f"  {json.dumps(tally.ods)}: {json.dumps(tally.block(seen))}" for tally in authorities]
    write(path, ["{\n", *(f" {json.dumps(name)}: {json.dumps(value)},\n" for name, value in facts.items()),
                 f' "people": {json.dumps(people)},\n',
                 f' "all": {json.dumps(national.block(seen))},\n', ' "authorities": {\n', ",\n".join(blocks),
                 "\n }\n}\n"])


def write_register(path, country):
    year = country.options.date.year - 1
    lines = ["# A made-up country, by tests/national/generate.py. Names of authorities are public, everything else is invented.\n",
             "\n", "organisations:\n"]
    providers = [("RXH", "Example University Hospitals", "emergency_department, paediatric_ward, maternity"),
                 ("RY7", "Example Community Health", "school_nursing"), ("RYD", "Example Ambulance Service", "ambulance"),
                 ("NE1", "Example 111 Service", "nhs_111")]
    for ods, name, settings in providers:
        lines.append(f"  - {{ods: {ods}, name: {name}, type: care_provider, care_settings: [{settings}]}}\n")
    lines.append("  - {ods: X26, name: Example national body, type: national_body}\n")
    for authority in country.authorities:
        lines.append(f'  - {{ods: "{authority.ods}", name: "{authority.name}", type: local_authority}}\n')
    lines += ["\n", "role_profiles:\n", "  # nurses: two in an emergency department, a school nurse, ambulance, 111\n"]
    people = [("RXH", "R8001", ""), ("RXH", "R8001", ""), ("RY7", "R8001", ", activities: [B0170]"), ("RYD", "R8001", ""),
              ("NE1", "R8001", "")]
    national = [("R5105", "a reviewer"), ("R5080", "a registration authority's manager"),
                ("R8015", "what answers for the demographics service")]
    uid = 555000000001
    for ods, role, more in people:
        lines.append(f'  - {{uid: "{uid}", role: {role}, organisation: {ods}, from: {year}-01-01{more}}}\n')
        uid += 1
    for role, who in national:
        lines.append(f"  # {who}\n")
        lines.append(f'  - {{uid: "{uid}", role: {role}, organisation: X26, from: {year}-01-01}}\n')
        uid += 1
    lines.append("  # a child protection worker of each authority\n")
    for authority in country.authorities:
        lines.append(f'  - {{uid: "{555000001001 + authority.index}", role: R9535, organisation: "{authority.ods}", '
                     f"from: {year}-01-01}}\n")
    write(path, lines)


def write_contacts(path, country):
    dice, lines = Dice(country.options.seed, "contacts"), [CONTACTS_HEADER]
    for authority in country.authorities:
        area = next(prefix for town, prefix in tables.TELEPHONES.items() if town in authority.name)
        duty = f"{area}{2 * authority.index:03d}"
        office = f"{area}{2 * authority.index + 1:03d}" if dice.roll() < 0.97 else ""
        # Most look at it each quarter; some do not.
        days = dice.below(92) if dice.roll() < 0.85 else dice.between(92, 500)
        lines.append(f"{authority.ods},{duty},{office},{country.calendar.iso(country.calendar.today - days)}\n")
    write(path, lines)


def generate(options, folder):
    country = Country(options)
    changing = options.change is not None
    os.mkdir(os.path.join(folder, "plans"))
    if changing:
        os.makedirs(os.path.join(folder, "next", "plans"))
        tomorrow = Calendar(date.fromordinal(country.calendar.today + 1))
    country.make_overlaps()
    tallies, next_tallies = [], []
    for authority in country.authorities:
        country.fill(authority)
        write_plans(os.path.join(folder, "plans", authority.ods + ".csv"), authority.rows)
        tally = Tally(authority.ods)
        tally.count(authority.rows, country.calendar)
        tallies.append(tally)
        if changing:
            country.people.later = True
            rows, changes = country.day_later(authority, tomorrow)
            country.people.later = False
            write_plans(os.path.join(folder, "next", "plans", authority.ods + ".csv"), rows)
            later = Tally(authority.ods)
            later.count(rows, tomorrow)
            later.changes = changes
            next_tallies.append(later)
        authority.rows = []
    facts = {"date": options.date.isoformat(), "seed": options.seed, "authorities_count": options.authorities,
             "plans": options.plans, "errors_percent": str(options.errors_text)}
    people = write_people(os.path.join(folder, "people.csv"), country.people.lines, {})
    write_expected(os.path.join(folder, "expected.json"), facts, Tally(), tallies, people)
    if changing:
        people = write_people(os.path.join(folder, "next", "people.csv"),
                              country.people.lines + country.people.later_lines, country.people.later_status)
        facts["date"], facts["change"] = tomorrow.iso(tomorrow.today), options.change
        write_expected(os.path.join(folder, "next", "expected.json"), facts, Tally(), next_tallies, people)
    write_register(os.path.join(folder, "register.yaml"), country)
    write_contacts(os.path.join(folder, "contacts.csv"), country)


# ------------------------------------------------------------------ options

class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refusal(f"{message}; generate.py --help lists the options")


def whole(name, text, low, high):
    if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
        raise Refusal(f"{name} {text}: give a whole number from {low} to {high}")
    return int(text)


def read_options(arguments):
    parser = Parser(description="Makes up the plans of a whole country. tests/national/README.md says what comes out.",
                    allow_abbrev=False)
    parser.add_argument("--out", required=True, metavar="DIR", help="where to write; must not exist, or be empty")
    parser.add_argument("--seed", required=True, metavar="N", help="the same number makes the same files")
    parser.add_argument("--date", required=True, metavar="YYYY-MM-DD", help="the day that is today in the files")
    parser.add_argument("--authorities", default="153", metavar="N", help=f"1 to {AUTHORITIES_MAX}; default 153")
    parser.add_argument("--plans", default="250000", metavar="N", help="rows in all; default 250000")
    parser.add_argument("--errors", default="2", metavar="PERCENT", help=f"of the rows, 0 to {ERRORS_MAX}; default 2")
    parser.add_argument("--change", metavar="SEED2", help="also DIR/next, a day later; another number, another day")
    options = parser.parse_args(arguments)
    options.seed = whole("--seed", options.seed, 0, 10 ** 18 - 1)
    if options.change is not None:
        options.change = whole("--change", options.change, 0, 10 ** 18 - 1)
    options.authorities = whole("--authorities", options.authorities, 1, AUTHORITIES_MAX)
    options.plans = whole("--plans", options.plans, PLANS_PER_AUTHORITY_MIN * options.authorities, 2 * NUMBERS_MAX)
    options.errors_text = options.errors
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,6})?", options.errors) or Fraction(options.errors) > ERRORS_MAX:
        raise Refusal(f"--errors {options.errors}: give a percentage from 0 to {ERRORS_MAX}, such as 2 or 2.5")
    options.errors = Fraction(options.errors)
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", options.date):
            raise ValueError
        day = date.fromisoformat(options.date)
    except ValueError:
        raise Refusal(f"--date {options.date}: give a day that exists, as YYYY-MM-DD") from None
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise Refusal(f"--date {options.date}: give a day from {YEARS[0]} to {YEARS[1]}")
    options.date = day
    return options


def check_place(out):
    """The folder that the result will be renamed into."""
    out = os.path.abspath(out)
    parent = os.path.dirname(out)
    if not os.path.isdir(parent):
        raise Refusal(f"--out: there is no directory {parent}: make it first")
    if os.path.lexists(out) and (os.path.islink(out) or not os.path.isdir(out)):
        raise Refusal(f"--out {out}: is there and is no directory: name another")
    if os.path.isdir(out) and os.listdir(out):
        raise Refusal(f"--out {out}: is not empty: name another, or remove it first")
    return out, parent


def stop(number, _frame):
    raise KeyboardInterrupt(number)


def main(arguments):
    beside = None
    try:
        options = read_options(arguments)
        out, parent = check_place(options.out)
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGHUP, stop)
        # Named before it is made: a signal at any time finds it.
        place = os.path.join(parent, f".{os.path.basename(out)}.{os.getpid()}")
        if os.path.lexists(place):
            raise Refusal(f"{place} is left over from a run that was killed: remove it first")
        beside = place
        os.mkdir(beside)
        generate(options, beside)
        os.chmod(beside, 0o755)
        os.rename(beside, out)
        beside = None
    except Refusal as refusal:
        print(f"generate.py: {refusal}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"generate.py: {error.filename or options.out}: {error.strerror}: free some room or name another --out; "
              "nothing was left there", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("generate.py: stopped; nothing was left there", file=sys.stderr)
        return 130
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
