"""Line coverage per source file, from `llvm-cov export -summary-only`, held against tests/fuzz/decoders.txt.

usage: coverage.py COVERAGE.json DECODERS.txt HARNESS...
Exit code 1: a decoder is covered less than it is to be."""
import json
import os
import sys

FLOOR = 95.0


def read_decoders(path, harnesses):
    """file -> (harnesses, floor, why it is lower). Only of those whose harnesses have all run."""
    decoders = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split(None, 3)
            if not words or words[0].startswith("#"):
                continue
            names = words[1].split(",")
            floor = float(words[2]) if len(words) > 2 else FLOOR
            if set(names) <= set(harnesses):
                decoders[words[0]] = (names, floor, words[3].strip() if len(words) > 3 else "")
    return decoders


def read_coverage(path):
    with open(path, encoding="utf-8") as file:
        files = json.load(file)["data"][0]["files"]
    here = os.getcwd() + "/"
    return {entry["filename"].removeprefix(here): entry["summary"]["lines"] for entry in files}


def main():
    lines = read_coverage(sys.argv[1])
    decoders = read_decoders(sys.argv[2], sys.argv[3:])
    low = 0
    print(f"{'lines':>6} {'reached':>8}  decoder, by harness")
    for name, (harnesses, floor, why) in decoders.items():
        if name not in lines:
            print(f"coverage: {name} of {sys.argv[2]} is in no harness")
            low += 1
            continue
        percent = lines[name]["percent"]
        low += percent < floor
        mark = "  BELOW %g %%" % floor if percent < floor else ""
        print(f"{lines[name]['count']:>6} {percent:>6.1f} %  {name}, by {', '.join(harnesses)}{mark}"
              + (f" ({why})" if why else ""))
    others = sorted((name, entry) for name, entry in lines.items()
                    if name not in decoders and entry["covered"] > 0
                    and name.endswith(".c") and not name.startswith(("tests/", "build/")))
    print("besides, on the way:")
    for name, entry in others:
        print(f"{entry['count']:>6} {entry['percent']:>6.1f} %  {name}")
    print(f"coverage: {len(decoders)} decoders, {low} covered too little")
    return 1 if low > 0 else 0


sys.exit(main())
