"""The rules behind `make lint`. Each rule is one function that yields (file, line number, sentence)."""
import os
import re
import subprocess
import sys

import hazards

TOP_LEVEL = {"Makefile", "README.md", "LICENSE", "broker", "proto", "clients", "certs", "tests"}
LAYERS = {
    "proto": {"proto"},
    "certs": {"certs"},
    "broker": {"broker", "proto", "certs"},
    "clients": {"clients", "proto", "certs"},
    "tests": {"tests", "broker", "proto", "certs", "clients"},
}
# A third-party header belongs to its adapters; tests may use any.
ADAPTERS = [
    (r"zmq\.h", r"broker/(transport|zap)\w*\.[ch]|clients/libcpis/\w+\.[ch]"),
    (r"sqlite3\.h", r"broker/store_sqlite\w*\.[ch]|clients/cli/log_(database_(sqlite|priv)|index|import)\.[ch]"),
    (r"libpq-fe\.h", r"broker/store_postgres\w*\.[ch]|certs/postgres_target\.[ch]|clients/cli/log_database_postgres\.c"),
    (r"openssl/.*", r"certs/\w+\.[ch]|broker/(seal|digest)\.c|clients/libcpis/\w+\.[ch]|clients/http/tls\.c|clients/fhir/notify_tls\.c"),
    (r"cyaml/cyaml\.h", r"proto/yaml_file\.[ch]|broker/(config\.c|policy\w*\.[ch]|register\w*\.[ch]|identity_providers\.c)|clients/cli/profile\.c|clients/fhir/(configuration|notify_settings)\.c"),
    (r"jansson\.h", r"clients/(cli|sheet)/\w+\.[ch]|clients/drill/report\.c|clients/web/challenge\.c|clients/fhir/\w+\.[ch]|broker/identity_(keys|token)\.c"),
    (r"curl/.*", r"clients/fhir/notify_post\.c"),
    (r"jose/.*", r"broker/identity_(keys|token)\.c"),
    (r"csv\.h", r"clients/(cli/csv_(plans|write)|responder/csv_table)\.c"),
    (r"uni(?!std)\w+\.h", r"clients/demographics/names\.c"),
    (r"protobuf-c/.*", r"proto/\w+\.[ch]"),
    (r"(uthash|utlist)\.h", r"broker/\w+\.[ch]|clients/(responder/plans|demographics/people)\.c"),
    (r"seccomp\.h", r"broker/sandbox_calls\.c"),
    (r"linux/landlock\.h", r"broker/sandbox_files\.c|clients/fhir/notify_sandbox\.c"),
    (r"sodium\.h", r"broker/share\.c|clients/web/sealed\.c|tests/.*"),
    (r"event2/.*", r"clients/http/(server\.c|visit(_priv\.h|\.c))|broker/metrics_process\.c"),
    # The broker has the protocol of its own: broker/service_manager.h says why.
    (r"systemd/.*", r"clients/http/server\.c"),
    (r"libxml/.*", r"clients/web/(model|templates)\.c"),
    (r"lib(e)?xslt/.*", r"clients/web/templates\.c"),
    # What lays out text stays away from keys: it has a program of its own.
    (r"(cairo.*|pango/.*|fontconfig/.*)", r"clients/sheet/\w+\.c"),
    (r"check\.h", r"tests/.*"),
]
CLOCK = re.compile(r"\b(?:clock_gettime|gettimeofday|time)\s*\(")
RANDOM = re.compile(r"\b(?:getrandom|RAND_bytes|RAND_priv_bytes|arc4random\w*)\s*\(")
SLEEP_C = re.compile(r"\b(?:sleep|usleep|nanosleep)\s*\(")
SLEEP_SH = re.compile(r"(?:^|[\s;&|(])sleep\s")
TEN_DIGITS = re.compile(r"(?<![\w.+-])(\d{10}|\d{3}[ -]\d{3}[ -]\d{4})(?![\w-])")
# Spelt in parts, so that this file does not break its own rule.
FOREIGN = ["../" + "shared", "farm" + "-bench", "the " + "founder"]
# Their bounds stand with them.
FUNCTION_LINES = 60
FILE_LINES = 500


def files():
    try:
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                check=True, capture_output=True).stdout
        names = {os.fsdecode(name) for name in listed.split(b"\0") if name}
    except (OSError, subprocess.CalledProcessError):
        # An unpacked release has no repository.
        names = {os.path.relpath(os.path.join(folder, name)) for folder, _, found in os.walk(".") for name in found}
    return sorted(name for name in names if os.path.isfile(name) and not name.startswith("build/"))


def read(name):
    with open(name, "rb") as file:
        data = file.read()
    try:
        return None if b"\0" in data else data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def without_comments(text):
    """C source with comments and the insides of literals blanked, line numbers kept."""
    pattern = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def lines(text):
    return enumerate(text.splitlines(), 1)


def includes(text):
    for number, line in lines(text):
        match = re.match(r"\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def layering(name, text):
    layer = name.split("/")[0]
    for number, quoted, header in includes(text):
        if not quoted:
            continue
        target = header.split("/")[0]
        if name.startswith("clients/examples/"):
            # They are built away from the tree, with what is installed.
            if not os.path.isfile(os.path.join("clients/examples", header)):
                yield name, number, f'"{header}" does not lie beside the example'
        elif "/" not in header or target not in LAYERS:
            yield name, number, f'"{header}" does not start at a folder of the root'
        elif target not in LAYERS[layer]:
            yield name, number, f"{layer}/ may not include {target}/"
        elif layer != "tests" and header.endswith("_priv.h") and os.path.dirname(header) != os.path.dirname(name):
            yield name, number, f"{header} is private to its folder"
        elif name.startswith("clients/libcpis/") and header.startswith("clients/cli/"):
            yield name, number, "the library may not include the command"


def adapters(name, text):
    if name.startswith("tests/"):
        return
    for number, _, header in includes(text):
        for pattern, where in ADAPTERS:
            if re.fullmatch(pattern, header) and not re.fullmatch(where, name):
                yield name, number, f"<{header}> belongs to its adapter files only"


def calls(name, text):
    layer = name.split("/")[0]
    for number, line in lines(without_comments(text)):
        if layer in ("broker", "proto", "certs") and name != "broker/clock.c" and CLOCK.search(line):
            yield name, number, "only broker/clock.c reads the clock; time is a parameter"
        if layer == "broker" and name != "broker/random.c" and RANDOM.search(line):
            yield name, number, "only broker/random.c asks for random bytes"
        if layer == "tests" and SLEEP_C.search(line):
            yield name, number, "a test waits for an event with a deadline, it does not sleep"


def script_sleeps(name, text):
    inside_wait = False
    for number, line in lines(text):
        if re.match(r"wait_\w+\(\)", line):
            inside_wait = True
        elif line.startswith("}"):
            inside_wait = False
        if not inside_wait and SLEEP_SH.search(line.split("#")[0]):
            yield name, number, "sleep stands only inside a bounded wait_...() function"


def leading_comment(name, text):
    if not text.startswith(("//", "/*")):
        yield name, 1, "the file does not start by saying what it is for"


def is_nhs_number(digits):
    if len(set(digits)) == 1 or digits == "0123456789":
        return False
    total = sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9]))
    return (11 - total % 11) % 11 == int(digits[9])


def real_numbers(name, text):
    for number, line in lines(text):
        for match in TEN_DIGITS.finditer(line):
            digits = re.sub(r"\D", "", match.group())
            if not digits.startswith("999") and is_nhs_number(digits):
                yield name, number, "this could be somebody's NHS number; test numbers begin with 999"


def foreign_words(name, text):
    for number, line in lines(text):
        for word in FOREIGN:
            if word in line.lower():
                yield name, number, f"refers to '{word}'"


def promised_tests(name, text):
    """A promise names the test that holds it: the test has to be there."""
    for number, line in lines(text):
        for test in re.findall(r"`((?:unit|scenario|system)/[\w/.-]+)`", line):
            path = "tests/" + test
            if not (os.path.exists(path) or os.path.exists(path + ".c") or os.path.isdir(path)):
                yield name, number, f"there is no test {test}"


def top_level(names):
    present = {name.split("/")[0] for name in names if not name.startswith(".")}
    for name in sorted(present - TOP_LEVEL):
        yield name, 1, "does not belong at the top"
    for name in sorted(TOP_LEVEL - present):
        yield name, 1, "is missing at the top"


def limits(names):
    """broker/limits.h has every bound, and tests/data/limits.txt the test of each."""
    header, table = "broker/limits.h", "tests/data/limits.txt"
    defined = {}
    for name in names:
        if not re.fullmatch(r"broker/\w+\.h", name):
            continue
        for number, line in lines(read(name)):
            match = re.match(r"#define (\w+_MAX)\b", line)
            if match and name == header:
                defined[match.group(1)] = number
            elif match:
                yield name, number, f"{match.group(1)} belongs into {header}"
    for number, line in lines(read(table)):
        if not line or line.startswith("#"):
            continue
        limit, program, rest = line.split(" ", 2)
        if defined.pop(limit, None) is None:
            yield table, number, f"{header} has no {limit}, or it stands twice here"
        path = f"tests/{program}.c"
        if program != "-" and (path not in names or f"START_TEST({rest})" not in read(path)
                               or not re.search(rf", {rest}[,)]", read(path))):
            yield table, number, f"{path} has no test {rest} that is run"
    for limit, number in defined.items():
        yield header, number, f"{limit} has no line in {table}"


def long_functions(name, text):
    start, heading, previous = 0, "", ""
    for number, line in lines(text):
        if line == "{":
            start, heading = number, previous
        elif line.startswith("}") and start:
            if number - start - 1 > FUNCTION_LINES:
                yield f"{name}:{start}: {number - start - 1} lines: {heading.strip()}"
            start = 0
        elif line and not line[0].isspace():
            previous = line


def main():
    names = files()
    violations = [*top_level(names), *limits(names), *hazards.check()]
    outliers = []
    for name in names:
        text = read(name)
        if text is None:
            continue
        violations += [*real_numbers(name, text), *foreign_words(name, text)]
        if name.endswith((".c", ".h")) and name.split("/")[0] in LAYERS:
            violations += [*layering(name, text), *adapters(name, text), *calls(name, text)]
            violations += leading_comment(name, text)
            outliers += long_functions(name, text)
            if text.count("\n") > FILE_LINES:
                outliers.append(f"{name}: {text.count(chr(10))} lines")
        elif name.endswith(".sh"):
            violations += script_sleeps(name, text)
        elif name.endswith(".md"):
            violations += promised_tests(name, text)
    for name, number, sentence in violations:
        print(f"{name}:{number}: {sentence}")
    if outliers:
        print("Longer than the guide (60 lines a function, 500 a file); not a failure:")
        for outlier in outliers:
            print("  " + outlier)
    print(f"lint: {len(names)} files, {len(violations)} violations")
    return 1 if violations else 0


sys.exit(main())
