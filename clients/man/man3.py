#!/usr/bin/env python3
"""Makes a manual page of section 3 for each public function of libcpis out of what cpis.h says of it, and libcpis(3) out of what it says
of the whole. A function without a comment, without its errors or without its thread is a fault.

usage: VERSION=0.1.0 clients/man/man3.py clients/libcpis/cpis.h DIRECTORY
       clients/man/man3.py clients/libcpis/cpis.h --prototypes       the functions on a line each, for clients/libcpis/abi/
"""
import os
import re
import subprocess
import sys

FUNCTION = re.compile(
    r"(?P<comment>(?:^//[^\n]*\n)*)"
    r"^(?P<attribute>__attribute__\(\(warn_unused_result\)\)\s*)?"
    r"(?P<type>enum cpis_status|const char \*|bool|void|int)\s*(?P<name>cpis_\w+)\((?P<arguments>[^;]*)\);", re.M)
STATUS = re.compile(r'X\((CPIS_\w+), "([^"]*)"\)')


def fail(text):
    sys.exit(f"man3.py: {text}")


class Function:
    def __init__(self, match):
        self.name = match["name"]
        self.type = match["type"]
        arguments = re.sub(r"\s+", " ", match["arguments"])
        self.prototype = f"{self.type}{'' if self.type.endswith('*') else ' '}{self.name}({arguments})"
        lines = [line[2:].removeprefix(" ") for line in match["comment"].splitlines()]
        self.errors = [line[8:].rstrip(".") for line in lines if line.startswith("Errors: ")]
        self.thread = [line[8:].rstrip(".") for line in lines if line.startswith("Thread: ")]
        self.text = [line for line in lines if not line.startswith(("Errors: ", "Thread: "))]

    def check(self):
        if not "".join(self.text).strip():
            fail(f"{self.name}: cpis.h does not say what it does")
        if self.thread not in (["any"], ["the client's"]):
            fail(f"{self.name}: cpis.h does not say in which thread (Thread: any. / Thread: the client's.)")
        if (self.type == "enum cpis_status" and self.name != "cpis_status_text") != (len(self.errors) == 1):
            fail(f"{self.name}: cpis.h does not say which errors it returns (Errors: ...)")


def escaped(text):
    """Plain text for Markdown; what stands between backquotes stays as it is."""
    parts = text.split("`")
    return "`".join(part if i % 2 else re.sub(r"([\\*_<>\[\]#])", r"\\\1", part) for i, part in enumerate(parts))


def paragraphs(lines):
    """Comment lines as Markdown: what is indented by a tab is code."""
    out = []
    for line in lines:
        code = line.startswith("\t")
        if code and out and out[-1] and not out[-1].startswith("    "):
            out.append("")
        if not code and out and out[-1].startswith("    "):
            out.append("")
        out.append("    " + line[1:] if code else escaped(line))
    return "\n".join(out)


def summary(lines):
    """The first sentence, for NAME."""
    text = " ".join(lines[:lines.index("") if "" in lines else len(lines)])
    text = re.split(r"(?<=[^.A-Z])[.:](?: |$)", text.replace("\t", " "))[0].strip()
    return escaped(text[0].lower() + text[1:] if text[:2] != "A " and not text[1:2].isupper() else text)


def threads(thread):
    if thread == "any":
        return "Any thread, and several at once."
    return "The one that the client belongs to: one at a time, see libcpis(3)."


def statuses(function, table, of_a_call):
    names = []
    for part in re.split(r"[;,] ?", function.errors[0]):
        names += of_a_call if part == "of a call" else [part]
    for name in ["CPIS_OK", *sorted(set(names), key=list(table).index)]:
        if name not in table:
            fail(f"{function.name}: there is no status {name}")
        yield f"{escaped(name)}\n: {escaped(table[name])}\n"


def page_of(function, table, of_a_call):
    parts = ["# NAME", f"{escaped(function.name)} - {summary(function.text)}",
             "# SYNOPSIS", "    #include <cpis.h>\n    \n" + f"    {function.prototype};",
             "# DESCRIPTION", paragraphs(function.text)]
    if function.errors:
        parts += ["# RETURN VALUE", "\n".join(statuses(function, table, of_a_call))]
    parts += ["# THREADS", threads(function.thread[0]), "# SEE ALSO", "libcpis(3)"]
    return "\n\n".join(parts) + "\n"


def page_of_all(heading, functions, table):
    whole = [line[2:].removeprefix(" ") for line in heading.splitlines()]
    listed = "".join(f"{escaped(function.name)}(3)\n: {summary(function.text)}\n\n" for function in functions)
    codes = "".join(f"{escaped(name)}\n: {escaped(sentence)}\n\n" for name, sentence in table.items())
    return "\n\n".join([
        "# NAME", "libcpis - client library of a child protection information sharing broker",
        "# SYNOPSIS", "    #include <cpis.h>\n    \n    cc program.c $(pkg-config --cflags --libs libcpis)",
        "# DESCRIPTION", paragraphs(whole), "# FUNCTIONS", listed, "# STATUS", codes,
        "# SEE ALSO", "cpis(1), cpis-broker(8)"]) + "\n"


def write(folder, page, markdown):
    flags = ["-s", "-Tman", "--out-no-smarty", "-M", f"title={page}", "-M", "section=3", "-M", "date=",
             "-M", f"source=cpis {os.environ.get('VERSION', '')}", "-M", "volume=cpis manual"]
    made = subprocess.run(["lowdown", *flags], input=markdown.encode(), stdout=subprocess.PIPE, check=True).stdout
    with open(os.path.join(folder, page + ".3"), "wb") as file:
        file.write(made)


def main():
    header, folder = sys.argv[1:]
    with open(header, encoding="utf-8") as file:
        text = file.read()
    functions = [Function(match) for match in FUNCTION.finditer(text)]
    # Whatever looks like a function and was not understood would have no page.
    declared = set(re.findall(r"\b(cpis_\w+)\(", re.sub(r"//[^\n]*|/\*.*?\*/", "", text)))
    if declared != {function.name for function in functions}:
        fail(f"not understood: {', '.join(sorted(declared ^ {function.name for function in functions}))}")
    for function in functions:
        function.check()
    if folder == "--prototypes":
        print("\n".join(sorted(function.prototype for function in functions)))
        return
    table = dict(STATUS.findall(text))
    heading = re.match(r"(?://[^\n]*\n)+", text)[0]
    of_a_call = re.findall(r"CPIS_\w+", re.search(r"// Errors of a call: ((?:[^\n]|\n// (?=CPIS_))*)", heading)[1])
    os.makedirs(folder, exist_ok=True)
    for function in functions:
        write(folder, function.name, page_of(function, table, of_a_call))
    write(folder, "libcpis", page_of_all(heading, functions, table))


main()
