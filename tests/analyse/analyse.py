"""What the static analysers reported, against tests/analyse/explained.txt, both ways: a report that is not explained there fails,
and so does an explanation of something that is not reported any more.

usage: analyse.py FOLDER SOURCE...     with FOLDER/<source>.plist from clang and FOLDER/<source>.gcc from gcc
"""
import collections
import os
import plistlib
import re
import sys

EXPLAINED = "tests/analyse/explained.txt"
IN_FUNCTION = re.compile(r"^(?:In file included from )?(\S+?): In function ‘(\w+)’:")
REPORT = re.compile(r"^(\S+?):(\d+):\d+: (?:warning|error): (.*) \[(-W[\w-]+)\]$")
GAVE_UP = "-Wanalyzer-too-complex"

Report = collections.namedtuple("Report", "analyser file function check line words")


def key(report):
    return report.analyser, report.file, report.function, report.check


def of_clang(path):
    with open(path, "rb") as file:
        found = plistlib.load(file)
    for one in found["diagnostics"]:
        place = one["location"]
        yield Report("clang", os.path.normpath(found["files"][place["file"]]), one.get("issue_context", "-"), one["check_name"],
                     place["line"], one["description"])


def of_gcc(path):
    function = "-"
    with open(path, encoding="utf-8") as file:
        for line in file:
            heading, report = IN_FUNCTION.match(line), REPORT.match(line)
            if heading:
                function = heading.group(2)
            elif report:
                name, number, words, check = report.groups()
                yield Report("gcc", os.path.normpath(name), function, check, int(number), words)


def read_explained():
    """Each line explains one report: analyser, file, function and check, then a colon and why it is none of ours to repair."""
    with open(EXPLAINED, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            head, _, why = line.partition(": ")
            words = head.split()
            if len(words) != 4 or len(why.strip()) < 6:
                sys.exit(f"{EXPLAINED}:{number}: not 'ANALYSER FILE FUNCTION CHECK: why'")
            yield number, tuple(words)


def main(folder, sources):
    left = collections.defaultdict(list)
    for number, head in read_explained():
        left[head].append(number)
    explained = unexplained = 0
    gave_up = set()
    for source in sources:
        stem = os.path.join(folder, source.removesuffix(".c"))
        for report in sorted({*of_clang(stem + ".plist"), *of_gcc(stem + ".gcc")}):
            if report.check == GAVE_UP:
                gave_up.add(source)
            elif left[key(report)]:
                left[key(report)].pop()
                explained += 1
            else:
                unexplained += 1
                print(f"{report.file}:{report.line}: {report.words}")
                print(f"  not explained in {EXPLAINED}: {' '.join(key(report))}")
    stale = [(number, head) for head, numbers in left.items() for number in numbers]
    for number, head in sorted(stale):
        print(f"{EXPLAINED}:{number}: is not reported (any more): {' '.join(head)}")
    print(f"analyse: {len(sources)} files, {explained} reports explained, {unexplained} not, {len(stale)} explanations of nothing; "
          f"gcc did not follow every path in {len(gave_up)} files")
    return 1 if unexplained or stale else 0


sys.exit(main(sys.argv[1], sys.argv[2:]))
