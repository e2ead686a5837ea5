#!/usr/bin/python3
"""Runs every command of one or more guides (Markdown) as it stands, in one shell, and holds what comes back against what the guide shows.
README.md beside this has the convention. Exit code 0: all of it was as the guides say; else what was not, by guide and line.

usage: run.py [--check-only] [--print] [--also-run GUIDE]... [--others SCRIPT] [--deadline SECONDS] GUIDE...

`--print`: what comes back, for whoever writes a guide. The shell starts in the current directory with this environment. `--others`: a bash file with the functions that the guides' comments
`<!-- meanwhile: NAME -->` call. `--also-run`: another guide whose commands may be mentioned in these ones' text."""
import argparse
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

# What varies, in expected output.
PLACEHOLDERS = {
    "n": r"[0-9]+",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "minute": r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}",
    "time": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?Z",
    "fingerprint": r"[0-9a-f]{4}(?:-[0-9a-f]{4}){4}",
    "code": r"[0-9]{6}(?:-[0-9]{6}){7}",
    "hex": r"[0-9a-f]+",
    "words": r".+",
}
VARIES = re.compile(r"<(" + "|".join(PLACEHOLDERS) + r")>|\$\{?([A-Z][A-Z0-9_]*)\}?")
# What a terminal shows nothing of, MLLP's frame among it.
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})\s*(.*)$")
MEANWHILE = re.compile(r"^<!-- meanwhile: ([a-z_]+) -->$")
LISTED = re.compile(r"^\| (`\$[A-Z][A-Z0-9_]*`(?:, `\$[A-Z][A-Z0-9_]*`)*) \|")
USED = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)")
SET = re.compile(r"(?:^|[\s;])([A-Z][A-Z0-9_]*)=")
EXIT = re.compile(r"# exit ([0-9]+)\s*$", re.M)
SPAN = re.compile(r"`([^`]+)`")
OF_ANY_SHELL = {"HOME", "PATH", "PWD"}
ENDS_WITHIN_S = 20


class Wrong(Exception):
    """What is wrong with a guide: where, and a sentence."""

    def __init__(self, guide, line, sentence):
        super().__init__(f"{guide}:{line}: {sentence}")


class Step:
    """A block of commands and what is shown of their output, or something that others do meanwhile."""

    def __init__(self, line, text="", others=None):
        self.line, self.text, self.others, self.shown, self.shown_line, self.commands = line, text, others, None, 0, []


def is_command(text):
    """Would a shell take this for a program and its arguments?"""
    words = text.split()
    return len(words) > 1 and ("/" in words[0] and words[0][0] in "./" or shutil.which(words[0]) is not None)


def parse(guide):
    """The guide's steps, whose commands are not told apart yet, its prose as (line, text), and the names of the variables that it lists. Whatever else stands in it and could be
    a command is wrong."""
    steps, prose, listed = [], [], set()
    fence, block, begun, kind, fresh = None, [], 0, "", False
    with open(guide, encoding="utf-8") as file:
        lines = file.read().split("\n")
    for number, line in enumerate(lines, 1):
        match = FENCE.match(line)
        if fence is not None:
            if match and match.group(1) == fence and match.group(2) == "":
                fence = None
                if kind == "sh":
                    steps.append(Step(begun + 1, "\n".join(block)))
                else:
                    steps[-1].shown, steps[-1].shown_line = block, begun + 1
                fresh = kind == "sh"
            else:
                block.append(line)
            continue
        if match:
            fence, kind, begun, block = match.group(1), match.group(2), number, []
            if fence != "```" or kind not in ("sh", "text"):
                raise Wrong(guide, number, f"a block of kind '{kind or fence}': commands stand in ```sh, what comes back in ```text")
            if kind == "text" and not fresh:
                raise Wrong(guide, number, "this ```text follows no ```sh: nothing holds it")
            continue
        if line.strip() == "":
            continue
        fresh = False
        if re.match(r" {4}|\t", line):
            raise Wrong(guide, number, "an indented block is neither run nor checked: put it into ```sh or ```text")
        if re.search(r"</?(pre|code|kbd)\b", line):
            raise Wrong(guide, number, "HTML in which a command could stand unexecuted")
        match = MEANWHILE.match(line)
        if match:
            steps.append(Step(number, others=match.group(1)))
        elif line.startswith("<!--"):
            raise Wrong(guide, number, "a comment that is no `<!-- meanwhile: NAME -->`")
        match = LISTED.match(line)
        if match:
            listed.update(USED.findall(match.group(1)))
        prose.append((number, line))
    if fence is not None:
        raise Wrong(guide, begun, "a block without an end")
    if not any(step.others is None for step in steps):
        raise Wrong(guide, 1, "no command stands in it")
    return steps, prose, listed


def split(guide, step):
    """The block's commands as (line, text, exit code): each as many lines as the shell needs to take it for complete."""
    held, first, commands = [], 0, []
    for number, line in enumerate(step.text.split("\n"), step.line):
        if not held and (line.strip() == "" or line.startswith("#")):
            continue
        first = first if held else number
        held.append(line)
        text = "\n".join(held)
        parsed = subprocess.run(["bash", "-n"], input=text + "\n", capture_output=True, text=True)
        if parsed.returncode == 0 and parsed.stderr == "" and not line.endswith("\\"):
            wanted = EXIT.search(text)
            commands.append((first, text, int(wanted.group(1)) if wanted else 0))
            held = []
    if held:
        raise Wrong(guide, first, f"no complete command: {held[0]}")
    if not commands:
        raise Wrong(guide, step.line, "a block without a command")
    return commands


def read(guide):
    """The guide's steps, prose and variables, as of parse()."""
    steps, prose, listed = parse(guide)
    for step in steps:
        step.commands = split(guide, step) if step.others is None else []
    return steps, prose, listed


def check_variables(guide, steps, listed, known):
    """`known`: of the guides before it; a guide's own are added."""
    known |= listed
    for step in steps:
        for line, text, _ in step.commands:
            known.update(SET.findall(text))
            for name in USED.findall(text):
                if name not in known:
                    raise Wrong(guide, line, f"${name} stands in no table of what the reader replaces, and nothing sets it")


def check_mentions(guide, prose, run):
    """A command that the text mentions is part of one that is run."""
    flat = " ".join(" ".join(text.replace("\\\n", " ").split()) for text in run)
    for line, text in prose:
        for span in SPAN.findall(text):
            if is_command(span) and " ".join(span.split()) not in flat:
                raise Wrong(guide, line, f"'{span}' looks like a command, and no block runs it")


def literally(text):
    """As it stands, but for columns, whose width is that of what stands in them."""
    return re.sub(r"(?:\\ ){2,}", " +", re.escape(text))


def pattern(line):
    """A regular expression for one line of expected output."""
    made, at = "", 0
    for match in VARIES.finditer(line):
        made += literally(line[at:match.start()])
        kind, name = match.groups()
        made += PLACEHOLDERS[kind] if kind else re.escape(os.environ.get(name, match.group()))
        at = match.end()
    return re.compile(made + literally(line[at:]))


def first_difference(shown, came):
    """None, or the number (from 0) of the first line shown that does not come. `...` stands for any lines."""
    reached = {0}  # how many lines of `came` what was shown so far may have covered
    for number, line in enumerate(shown):
        if line.strip() == "...":
            reached = set(range(min(reached), len(came) + 1))
            continue
        wanted = pattern(line.rstrip())
        reached = {at + 1 for at in reached if at < len(came) and wanted.fullmatch(came[at])}
        if not reached:
            return number
    return None if len(came) in reached else len(shown)


class Shell:
    """The reader's terminal: one bash, in which variables and directories stay and programs run on in the background."""

    def __init__(self, others, deadline_s):
        self.work = tempfile.mkdtemp(prefix="cpis-guide-shell-")
        self.others, self.deadline_s, self.count = others, deadline_s, 0
        self.bash = subprocess.Popen(["bash", "--norc", "--noprofile"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True, bufsize=1, start_new_session=True)
        self._say("set -u -o pipefail")

    def _say(self, text):
        self.bash.stdin.write(text + "\n")
        self.bash.stdin.flush()

    def _hear(self, until):
        """The next line, or None: the shell has ended, or it is late."""
        ready = select.select([self.bash.stdout], [], [], max(0, until - time.monotonic()))[0]
        return self.bash.stdout.readline().strip() or None if ready else None

    def run(self, text):
        """(exit code, output); the code is None when it did not come back, or the shell with it."""
        self.count += 1
        command, output = (os.path.join(self.work, f"{self.count}.{end}") for end in ("sh", "out"))
        with open(command, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        try:
            self._say(f". '{command}' > '{output}' 2>&1 < /dev/null; echo $?")
            said = self._hear(time.monotonic() + self.deadline_s)
        except BrokenPipeError:
            said = None
        with open(output, encoding="utf-8", errors="replace") as file:
            return (int(said) if said else None), UNSEEN.sub("", file.read())

    def meanwhile(self, name):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", f". '{self.others}'; meanwhile_{name}"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=self.deadline_s)
        return done.returncode, done.stdout + done.stderr

    def end(self):
        """Ends what the guides started, and the shell."""
        until = time.monotonic() + ENDS_WITHIN_S
        try:
            self._say("kill $(jobs -p) 2> /dev/null; wait; exit")
            while self.bash.poll() is None and self._hear(until):
                pass
            self.bash.wait(max(0.1, until - time.monotonic()))
        except (BrokenPipeError, subprocess.TimeoutExpired):
            pass
        # Its own session: whoever did not want to end.
        try:
            os.killpg(self.bash.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.bash.wait()
        shutil.rmtree(self.work)


def quote(text):
    return "\n".join("    " + line for line in text.rstrip("\n").split("\n"))


def run_step(guide, shell, step, show):
    """The number of things that were checked."""
    if step.others is not None:
        code, output = shell.meanwhile(step.others)
        if code != 0:
            raise Wrong(guide, step.line, f"what others do meanwhile ({step.others}) ended with {code}:\n{quote(output)}")
        return 0
    all_output = ""
    for line, text, wanted in step.commands:
        code, output = shell.run(text)
        all_output += output
        if code != wanted:
            came = f"did not come back within {shell.deadline_s} s" if code is None else f"ended with {code}, and should with {wanted}"
            raise Wrong(guide, line, f"this command {came}:\n{quote(text)}\nit said:\n{quote(output)}")
    if show:
        print(f"{guide}:{step.line}\n{quote(all_output)}", flush=True)
    if step.shown is None:
        return len(step.commands)
    number = first_difference(step.shown, [line.rstrip() for line in all_output.rstrip("\n").split("\n")])
    if number is not None:
        shown = step.shown[number] if number < len(step.shown) else "(nothing more)"
        raise Wrong(guide, step.shown_line + number, f"the guide shows:\n{quote(shown)}\nand what came back is:\n{quote(all_output)}")
    return len(step.commands) + 1


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--check-only", action="store_true")
    parser.add_argument("--print", action="store_true")
    parser.add_argument("--also-run", action="append", default=[])
    parser.add_argument("--others")
    parser.add_argument("--deadline", type=float, default=120)
    parser.add_argument("guides", nargs="+")
    wanted = parser.parse_args()
    guides = [(guide, *read(guide)) for guide in wanted.guides]
    run, known = [], set(OF_ANY_SHELL)
    for _, steps, _, _ in guides + [(guide, *parse(guide)) for guide in wanted.also_run]:
        run += [step.text for step in steps]
    for guide, steps, prose, listed in guides:
        check_mentions(guide, prose, run)
        check_variables(guide, steps, listed, known)
    if wanted.check_only:
        return 0
    for guide, _, _, listed in guides:
        for name in sorted(listed - set(os.environ)):
            raise Wrong(guide, 1, f"${name} is listed, and this world has no value for it")
    # So that whoever ends this ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    shell, checks = Shell(wanted.others, wanted.deadline), 0
    try:
        for guide, steps, _, _ in guides:
            for step in steps:
                checks += run_step(guide, shell, step, wanted.print)
    finally:
        shell.end()
    print(f"{', '.join(wanted.guides)}: as they say")
    print(f"100%: Checks: {checks}, Failures: 0, Errors: 0")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        sys.exit(1)
