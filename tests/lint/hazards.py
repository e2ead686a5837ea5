"""The hazard log of tests/README.md: that it is complete, rated by its own matrix, and that each control's test is there and is part of
`make test`. Run by lint.py; by itself: hazards.py FILE."""
import os
import re
import sys

LOG = "tests/README.md"
SEVERITIES = ["minor", "significant", "considerable", "major", "catastrophic"]
LIKELIHOODS = ["very high", "high", "medium", "low", "very low"]
ACCEPTED_MAX = 3
RATING = re.compile(r"(Before|After): severity ([a-z]+), likelihood ([a-z ]+), risk (\d)\.$")
FIELDS = ["Cause: ", "Effect: ", "Before: ", "- ", "After: ", "Left: "]
# What `make test` runs, as the Makefile says it.
RUN = {
    "unit": "$(wildcard tests/unit/{layer}/test_*.c)",
    "scenario": "$(wildcard tests/scenario/test_*.c)",
    "system": "$(wildcard tests/system/test_*.c)",
    "web": "tests/system/web.sh",
}


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def matrix_of(text):
    """{likelihood: [risk by severity]} from the log's own table."""
    rows = re.findall(r"^\| (very high|high|medium|low|very low) \|((?: \d \|){5})$", text, re.M)
    return {name: [int(digit) for digit in re.findall(r"\d", cells)] for name, cells in rows}


def missing_test(path, name, makefile):
    """A sentence about what is wrong with a control's test, or None."""
    parts = path.split("/")
    kind = parts[0]
    pattern = RUN.get(kind, "").replace("{layer}", parts[1] if len(parts) == 3 else "")
    if kind not in RUN or not re.fullmatch(r"test_\w+", parts[-1]) or len(parts) != (3 if kind == "unit" else 2):
        return f"{path} is not a test"
    if pattern not in makefile and kind != "web":
        return f"make test does not run {path}"
    if kind == "web":
        source = f"tests/{path}.js"
        if not os.path.exists(source) or not os.path.exists("tests/system/web.sh") or f'test("{name}"' not in read(source):
            return f"{source} has no test '{name}'"
        return None
    source = f"tests/{path}.c"
    if not os.path.exists(source):
        return f"there is no {source}"
    text = read(source)
    if f"START_TEST({name})" not in text or not re.search(rf"tcase_add_\w*test\([^;]*\b{name}\b", text):
        return f"{source} has no test {name} that is run"
    return None


def check_rating(line, matrix):
    match = RATING.match(line)
    if not match or match.group(2) not in SEVERITIES or match.group(3) not in matrix:
        return "a rating reads: severity WORD, likelihood WORD, risk DIGIT."
    risk = int(match.group(4))
    wanted = matrix[match.group(3)][SEVERITIES.index(match.group(2))]
    if risk != wanted:
        return f"by the matrix that is risk {wanted}"
    if match.group(1) == "After" and risk > ACCEPTED_MAX:
        return f"risk {risk} is left, which is unacceptable"
    return None


def check(name=LOG):
    """Yields (file, line number, sentence)."""
    text, makefile = read(name), read("Makefile")
    matrix = matrix_of(text)
    if list(matrix) != LIKELIHOODS:
        yield name, 1, "the hazard log has no matrix of five by five"
        return
    expected, state = 1, None
    for number, line in enumerate(text.splitlines(), 1):
        heading = re.match(r"### H(\d+)\. ", line)
        if heading or (line.startswith("## ") and state is not None):
            if state is not None and state < len(FIELDS):
                yield name, number, f"the hazard before lacks '{FIELDS[state].strip()}'"
            state = 0 if heading else None
            if heading and int(heading.group(1)) != expected:
                yield name, number, f"this is hazard H{expected}"
            expected += bool(heading)
            continue
        if state is None or not line:
            continue
        field = next((place for place, start in enumerate(FIELDS) if line.startswith(start)), None)
        if field is None or field not in ((state, 3) if state == 4 else (state,)):
            yield name, number, f"here stands '{FIELDS[min(state, 5)].strip()}' of the hazard"
            continue
        state = field + 1
        if field in (2, 4):
            sentence = check_rating(line, matrix)
            if sentence:
                yield name, number, sentence
        if field == 3:
            tests = re.findall(r"`([\w/]+)` ([^,`]+?)(?=, `|\)$)", line)
            if not tests:
                yield name, number, "a control without a test"
            for path, test in tests:
                sentence = missing_test(path, test, makefile)
                if sentence:
                    yield name, number, sentence
    if state is not None and state < len(FIELDS):
        yield name, number, f"the last hazard lacks '{FIELDS[state].strip()}'"
    if expected < 16:
        yield name, 1, f"only {expected - 1} hazards"


if __name__ == "__main__":
    found = list(check(*sys.argv[1:2]))
    for where, number, sentence in found:
        print(f"{where}:{number}: {sentence}")
    sys.exit(len(found) > 0)
