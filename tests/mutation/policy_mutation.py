"""Changes every single rule of broker/policy.yaml, one at a time; the table test must notice each change.

usage: policy_mutation.py TABLE_TEST [POLICY]     from the repository's root

Prints the mutants that nobody noticed and ends with a count; exits 0 when there is none. A mutant that is
refused on loading counts as noticed, and is counted apart. What neither passes nor fails in an orderly way is
an error.
"""
import copy
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

BOUNDS = {"session_minutes": 720, "person_per_minute": 1000000, "system_per_minute": 1000000}
KEYS = {
    "activities": {"code", "name", "silent", "break_glass"},
    "roles": {"code", "name", "activities", "reason", "hours", "days"},
    "care_settings": {"name", "scheduled"},
    "operations": {"name", "activities", "organisation_types", "care_setting", "signature", "break_glass", *BOUNDS},
}
ORGANISATION_TYPES = ["care_provider", "local_authority", "national_body"]
RUN_SECONDS_MAX = 60


def read_value(text):
    text = text.strip()
    if text.startswith("["):
        return [word.strip() for word in text[1:text.index("]")].split(",") if word.strip()]
    return text


def read_pairs(text):
    """The pairs of "a: b, c: [d, e]"."""
    pairs = {}
    while text.strip():
        match = re.match(r"\s*(\w+):\s*(\[[^\]]*\]|[^,]+)(?:,|$)", text)
        if match is None:
            raise ValueError(f"not understood: {text!r}")
        pairs[match[1]] = read_value(match[2])
        text = text[match.end():]
    return pairs


def read_policy(path):
    """As much of YAML as a policy file is written in; what is not understood is an error, never skipped."""
    policy, part = {}, None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = re.sub(r"(^|\s)#.*", "", line.rstrip("\n"))
            top = re.fullmatch(r"(\w+):\s*(.*)", line)
            if not line.strip():
                continue
            if top and top[2]:
                policy[top[1]] = top[2]
            elif top:
                part = policy[top[1]] = []
            elif flow := re.fullmatch(r"\s+- \{(.*)\}", line):
                part.append(read_pairs(flow[1]))
            elif first := re.fullmatch(r"\s+- (\w+: .*)", line):
                part.append(read_pairs(first[1]))
            elif more := re.fullmatch(r"\s+(\w+: .*)", line):
                part[-1].update(read_pairs(more[1]))
            else:
                raise ValueError(f"{path}:{number}: not understood: {line!r}")
    # The policy's own examples would catch many of the changes: it is the table that is on trial.
    policy.pop("examples", None)
    # Detection and sampling decide nothing; the thresholds are on trial in bench_detection.
    policy.pop("detection", None)
    policy.pop("sampling", None)
    if set(policy) != {"name", *KEYS}:
        raise ValueError(f"{path}: other parts than expected: {sorted(policy)}")
    for part, keys in KEYS.items():
        for entry in policy[part]:
            # Otherwise a rule of a new kind would go without mutants.
            if not set(entry) <= keys:
                raise ValueError(f"{path}: {part} have keys without a mutation: {sorted(set(entry) - keys)}")
    return policy


def write_value(value):
    return f"[{', '.join(value)}]" if isinstance(value, list) else value


def policy_text(policy):
    lines = [f"name: {policy['name']}"]
    for part in KEYS:
        lines.append(f"{part}:")
        lines += ["  - {" + ", ".join(f"{key}: {write_value(value)}" for key, value in entry.items()) + "}"
                  for entry in policy[part]]
    return "\n".join(lines) + "\n"


def toggled(entry, key, word):
    """`word` out of the list if it is in it, and else into it."""
    words = entry.get(key, [])
    removed = word in words
    words = [other for other in words if other != word] if removed else [*words, word]
    return ("without" if removed else "with"), {**entry, key: words}


def switched(entry, key, value):
    """Without the key if it is there, and else with it."""
    if key in entry:
        return f"without {key}", {k: v for k, v in entry.items() if k != key}
    return f"with {key}: {value}", {**entry, key: value}


def changed_entries(part, entry, codes):
    """(what was changed, the changed entry) for each single rule in it."""
    if part == "activities":
        for key in ("silent", "break_glass"):
            other = "false" if entry.get(key) == "true" else "true"
            yield f"{key}: {other}", {**entry, key: other}
    if part == "roles":
        yield switched(entry, "reason", "required")
        # The table asks on a Wednesday at noon.
        yield switched(entry, "hours", entry.get("hours", "13:00-14:00"))
    if part == "care_settings":
        other = "false" if entry["scheduled"] == "true" else "true"
        yield f"scheduled: {other}", {**entry, "scheduled": other}
    if part in ("roles", "operations"):
        for code in codes:
            how, changed = toggled(entry, "activities", code)
            yield f"{how} {code}", changed
    if part == "operations":
        for word in ORGANISATION_TYPES:
            how, changed = toggled(entry, "organisation_types", word)
            yield f"{how} {word}", changed
        for key in ("care_setting", "signature"):
            yield switched(entry, key, "required")
        yield switched(entry, "break_glass", "allowed")
        for key, most in BOUNDS.items():
            # A session bound that nobody reaches is none.
            yield switched(entry, key, entry.get(key, "59" if key == "session_minutes" else str(most)))
            if key in entry:
                yield f"{key} + 1", {**entry, key: str(int(entry[key]) + 1)}
                yield f"{key} - 1", {**entry, key: str(int(entry[key]) - 1)}


def mutants(policy):
    """(name, policy) for each."""
    codes = [activity["code"] for activity in policy["activities"]]
    for part in KEYS:
        for place, entry in enumerate(policy[part]):
            name = f"{part} {entry.get('code', entry['name'])}"
            mutant = copy.deepcopy(policy)
            del mutant[part][place]
            yield f"{name}: dropped", mutant
            for what, changed in changed_entries(part, entry, codes):
                mutant = copy.deepcopy(policy)
                mutant[part][place] = changed
                yield f"{name}: {what}", mutant
    for code in [None, *codes]:
        mutant = copy.deepcopy(policy)
        mutant["roles"].append({"code": "R7777", "name": "New role", "activities": [code] if code else []})
        yield f"roles R7777: added, {'with ' + code if code else 'without activities'}", mutant


def first_part(name):
    """What the change is about, as the table calls it: most of the time that is where the difference is."""
    part, word = name.split(": ")[0].split(" ", 1)
    condition = {"roles": "role", "operations": "operation", "care_settings": "setting"}.get(part)
    return {"CPIS_TEST_FIRST": f"{condition} {word}"} if condition else {}


def verdict(table_test, path, first):
    environment = {**os.environ, "CPIS_TEST_POLICY": path, "CK_FORK": "no", "CK_RUN_CASE": "shipped", **first}
    try:
        run = subprocess.run([table_test], env=environment, capture_output=True, text=True, errors="replace",
                             timeout=RUN_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        return "error", "took too long"
    said = run.stdout + run.stderr
    counted = re.search(r"Checks: (\d+), Failures: (\d+), Errors: (\d+)", said)
    # A crash or a sanitizer's report is nobody's notice.
    if counted is None or "Sanitizer" in said or run.returncode not in (0, 1):
        return "error", said
    if run.returncode == 0:
        return ("survived", said) if int(counted[1]) > 0 else ("error", "nothing was checked")
    return ("refused" if "refused on loading" in said else "caught"), said


def main():
    table_test, policy_path = sys.argv[1], (sys.argv[2:] or ["broker/policy.yaml"])[0]
    policy = read_policy(policy_path)
    counts = {"caught": 0, "refused": 0, "survived": 0, "error": 0}
    with tempfile.TemporaryDirectory(prefix="cpis-mutation-") as folder:

        def judge(numbered):
            number, (name, mutant) = numbered
            path = os.path.join(folder, f"{number}.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(policy_text(mutant))
            return name, verdict(table_test, path, first_part(name))

        name, (outcome, said) = judge((0, ("the policy as it is", policy)))
        if outcome != "survived":
            print(f"{name}: {outcome}, and should pass:\n{said}")
            return 1
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for name, (outcome, said) in pool.map(judge, enumerate(mutants(policy), 1)):
                counts[outcome] += 1
                if outcome in ("survived", "error"):
                    print(f"{outcome}: {name}" + (f"\n{said}" if outcome == "error" else ""))
    print(f"{sum(counts.values())} mutants: {counts['caught']} differ from the table, "
          f"{counts['refused']} are refused on loading, "
          f"{counts['survived']} survived, {counts['error']} errors")
    return 1 if counts["survived"] or counts["error"] else 0


sys.exit(main())
