"""The table of what came of each fault.

usage: table.py RESULTS SPLIT_RESULTS

Each line of RESULTS is a fault and what the program load printed, of SPLIT_RESULTS a fault and what partition printed.
"""
import statistics
import sys


def read(path):
    """{fault: one list of numbers for each round}, in the order of the faults."""
    rounds = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            name, *numbers = line.split()
            rounds.setdefault(name, []).append([int(number) for number in numbers])
    return rounds


def seconds(milliseconds):
    return f"{milliseconds / 1000:.1f} s"


def rows(rounds):
    for name, runs in rounds.items():
        gap, wait, *counts = zip(*runs)
        yield name, len(runs), seconds(statistics.median(gap)), seconds(max(gap)), seconds(max(wait)), *map(sum, counts)


def split_rows(rounds):
    for name, runs in rounds.items():
        took, *counts = zip(*runs)
        yield name, len(runs), seconds(statistics.median(took)), seconds(max(took)), *map(sum, counts)


def table(heads, body):
    print("| " + " | ".join(heads) + " |")
    print("|" + " --- |" * len(heads))
    for row in body:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def main():
    results, split_results = map(read, sys.argv[1:])
    table(["fault", "rounds", "nobody answered: median", "worst", "one request: worst", "requests", "attempts", "answered", "retried", "failed",
           "records found", "notifications", "plans found", "lost", "doubled"], rows(results))
    if split_results:
        print()
        table(["partition", "rounds", "quarantine acknowledged after: median", "worst", "then refused", "unanswered", "answered", "was under way"],
              split_rows(split_results))


main()
