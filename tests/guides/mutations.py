#!/usr/bin/python3
"""The test of run.py: a small guide passes, and each of these changes of it does not, for the reason that is named with its guide and
line. And of the shipped guides, which are named: each block of commands that nothing would run is found."""
import os
import re
import subprocess
import sys
import tempfile
import time

import run

HERE = os.path.dirname(os.path.abspath(__file__))
GOOD = """# A guide

| `$WHO` | you |

Some words with `cat others`, which a block runs, and `no command`.

```sh
cat > list <<END
one
two of $WHO
END
cat list
false # exit 1
```

```text
one
two of $WHO
```

<!-- meanwhile: others -->

```sh
cat others   # of 2026
DAY=$(cat others)
echo "$DAY   is   the day"; echo more; echo and more
```

```text
<date>
<date>  is  the day
...
```

```sh
mkfifo stop
{ echo "begun" > begun.log; exec cat stop; } &
until grep -s begun begun.log; do :; done
```

```text
begun
```
"""
OTHERS = "meanwhile_others() { echo 2026-11-27 > others; }\n"
# What is changed, into what, and what is said of it, with its line.
MUTATIONS = [
    ("a wrong command", "cat list\nfalse", "cat lits\nfalse", ":12: this command ended with 1, and should with 0"),
    ("a command that is not there", "cat list\nfalse", "cta list\nfalse", ":12: this command ended with 127, and should with 0"),
    ("a refusal that is none", "false # exit 1", "true # exit 1", ":13: this command ended with 0, and should with 1"),
    ("another exit code", "false # exit 1", "false # exit 3", ":13: this command ended with 1, and should with 3"),
    ("a failure that nobody expects", "false # exit 1", "false", ":13: this command ended with 1, and should with 0"),
    ("a wrong output", "```text\none\n", "```text\nnone\n", ":17: the guide shows:\n    none"),
    ("an output that does not come", "two of $WHO\n```\n\n<!--", "two of $WHO\nthree\n```\n\n<!--", ":19: the guide shows:\n    three"),
    ("an output that is not shown", "```text\none\n", "```text\n", ":17: the guide shows:\n    two of $WHO"),
    ("an output that is not shown at the end", "one\ntwo of $WHO\n```\n\n<!--", "one\n```\n\n<!--", ":18: the guide shows:\n    (nothing more)"),
    ("what varies otherwise", "<date>\n<date>", "<n>\n<date>", ":30: the guide shows:\n    <n>"),
    ("a block of another kind", "```sh\nmkfifo", "```bash\nmkfifo", ":35: a block of kind 'bash'"),
    ("a block of no kind", "```sh\nmkfifo", "```\nmkfifo", ":35: a block of kind '```'"),
    ("a block of other marks", "```sh\nmkfifo", "~~~sh\nmkfifo", ":35: a block of kind 'sh'"),
    ("a command among what is shown", "Some words", "```text\ncat list\n```\n\nSome words", ":5: this ```text follows no ```sh"),
    ("words between a command and what it shows", "false # exit 1\n```\n", "false # exit 1\n```\n\nIt says:\n", ":18: this ```text follows no ```sh"),
    ("an indented command", "Some words", "Like this:\n\n    cat list\n\nSome words", ":7: an indented block is neither run nor checked"),
    ("a command behind a tab", "Some words", "\tcat list\n\nSome words", ":5: an indented block is neither run nor checked"),
    ("a command in HTML", "Some words", "<pre>cat list</pre>\n\nSome words", ":5: HTML in which a command could stand"),
    ("a command in a comment", "<!-- meanwhile: others -->", "<!-- cat list -->", ":21: a comment that is no"),
    ("a command in the text that no block runs", "`cat others`", "`cat lists`", ":5: 'cat lists' looks like a command, and no block runs it"),
    ("a program by its path in the text", "`no command`", "`./begin now`", ":5: './begin now' looks like a command"),
    ("a variable that stands nowhere", "two of $WHO\nEND", "two of $WHOM\nEND", ":8: $WHOM stands in no table"),
    ("a variable that has no value", "| `$WHO` |", "| `$WHO`, `$NOBODY` |", ":1: $NOBODY is listed, and this world has no value"),
    ("a block without an end", "begun\n```\n", "begun\n", ":41: a block without an end"),
    ("a command without an end", "cat list\nfalse", "cat 'list\nfalse", ":12: no complete command"),
    ("a block without a command", "```sh\nmkfifo", "```sh\n# nothing\n```\n\n```sh\nmkfifo", ":36: a block without a command"),
    ("no commands at all", GOOD, "# A guide\n\nWords.\n", ":1: no command stands in it"),
    ("others who fail", "meanwhile: others", "meanwhile: nobody", ":21: what others do meanwhile (nobody) ended with 127"),
    ("a command that does not come back", "mkfifo stop", "mkfifo stop; cat stop", ":36: this command did not come back within 2.0 s"),
    ("a ready line that never comes", "grep -s begun", "grep -s ready", ":38: this command did not come back within 2.0 s"),
    ("a command that ends the shell", "mkfifo stop", "exit", ":36: this command did not come back"),
]
checks = 0


def expect(sentence, holds, said=""):
    global checks
    checks += 1
    if not holds:
        print(f"mutations.py: not so: {sentence}\n{said}", file=sys.stderr)
        sys.exit(1)


def nobody_left(folder):
    """Whether no process works in the folder any more, a moment after the runner has ended."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        places = []
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                places.append(os.readlink(f"/proc/{process}/cwd"))
            except OSError:
                pass  # it has ended
        if not any(place.startswith(folder) for place in places):
            return True
    return False


def run_guide(text, deadline_s):
    """(exit code, what it said) of a guide that says this, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="cpis-guide-") as folder:
        for name, content in (("README.md", text), ("others.sh", OTHERS)):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(content)
        done = subprocess.run([os.path.join(HERE, "run.py"), "--others", "others.sh", "--deadline", str(deadline_s), "README.md"], cwd=folder,
                              env={**os.environ, "WHO": "them"}, capture_output=True, text=True, timeout=60)
        expect("what a guide started is ended", nobody_left(folder))
        return done.returncode, done.stdout + done.stderr


def shipped(path):
    """Of a shipped guide: each block of commands that nothing would run is found."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as changed:
        for match in re.finditer(r"^```sh\n", text, re.M):
            for change in ("```\n", "```console\n", "```text\n", ""):
                changed.seek(0)
                changed.truncate()
                changed.write(text[:match.start()] + change + text[match.end():])
                changed.flush()
                try:
                    run.parse(changed.name)
                    found = False
                except run.Wrong:
                    found = True
                expect(f"{path}: a block of commands that would not be run is found", found, match.group() + text[match.end():][:100])


code, said = run_guide(GOOD, 60)
expect("the good guide passes, with its nine commands and what three blocks show",
       code == 0 and "Checks: 12, Failures: 0" in said, said)
for sentence, old, new, wanted in MUTATIONS:
    expect(f"{sentence}: the good guide has it", GOOD.count(old) == 1)
    code, said = run_guide(GOOD.replace(old, new), 2 if "come back" in wanted else 60)
    expect(f"{sentence} fails, as README.md{wanted}", code == 1 and f"README.md{wanted}" in said, said)
for guide in sys.argv[1:]:
    shipped(guide)
print(f"100%: Checks: {checks}, Failures: 0, Errors: 0")
