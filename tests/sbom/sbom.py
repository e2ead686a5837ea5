#!/usr/bin/env python3
"""The software bill of materials: what the built programs link and the pages are made of, as CycloneDX 1.5 JSON, and until when
somebody mends each component.

usage: sbom.py make --version V --out FILE PROGRAM...
       sbom.py check FILE [--today YYYY-MM-DD] [--soon DAYS]

`make` asks the loader what each program links (ldd: also what libraries link in turn), dpkg which package each file is of, and
the lock file for the pages. A file that no package owns fails it: nothing is left out silently. What a library loads at run time
(PKCS#11 modules, OpenSSL providers, fonts) is not seen.

Support dates are Debian's own: the release's from distro-info-data, and the packages that have lost it before from
debian-security-support; for what Debian does not cover support.csv beside this file. Each has its source and the day when that was
written or looked up.

`check` exits 3 when a component is out of support, 0 otherwise; what has no known end is told.
"""
import argparse
import base64
import csv
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
RELEASES = "/usr/share/distro-info/debian.csv"
SUPPORT = "/usr/share/debian-security-support"
PAGES_LOCK = "clients/web/package-lock.json"
# What of the pages' packages is in what is delivered: the others build it.
PAGES_DELIVERED = {"nhsuk-frontend"}


def fail(sentence):
    sys.exit(f"sbom: {sentence}")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def written_on(path):
    return datetime.datetime.fromtimestamp(os.stat(path).st_mtime, datetime.timezone.utc).date().isoformat()


# ------------------------------------------------------------------ what is linked

def libraries_of(program):
    """Real paths of the shared objects that the loader maps, and the names that the program itself asks for."""
    needed = set(re.findall(r"\(NEEDED\)\s+Shared library: \[(.+?)\]", run("readelf", "-dW", program)))
    paths = {}
    for line in run("ldd", program).splitlines():
        match = re.match(r"\s*(?:(\S+) => )?(/\S+) \(0x", line)
        if match:
            name = match.group(1) or os.path.basename(match.group(2))
            paths[os.path.realpath(match.group(2))] = name in needed
        elif "not found" in line:
            fail(f"{program}: {line.strip()}")
    return paths


def packages_of(paths):
    # Before the merge of /usr a package may know its file as /lib/...
    names = [name for path in paths for name in (path, re.sub(r"^/usr", "", path))]
    found = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True).stdout
    owners = {}
    for line in found.splitlines():
        package, path = line.split(": ", 1)
        owners[os.path.realpath(path)] = package.split(",")[0]
    for path in paths:
        if path not in owners:
            fail(f"no Debian package owns {path}")
    return owners


def debian_component(package, release, support):
    form = "${Package}\\t${Version}\\t${Architecture}\\t${source:Package}\\t${source:Version}\\t${Maintainer}"
    name, version, architecture, source, source_version, maintainer = run("dpkg-query", "-W", "-f", form, package).split("\t")
    purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={architecture}&distro=debian-{release}"
    properties = [("cpis:debian:source", f"{source} {source_version}"), *support(source)]
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, "supplier": {"name": maintainer},
            "scope": "required", "properties": as_properties(properties)}


def as_properties(pairs):
    return [{"name": name, "value": value} for name, value in pairs]


# ------------------------------------------------------------------ until when it is mended

def read_release():
    values = dict(line.rstrip("\n").split("=", 1) for line in open("/etc/os-release") if "=" in line)
    if values.get("ID") != "debian":
        fail("this is for Debian: /etc/os-release says something else")
    return values["VERSION_ID"].strip('"')


def debian_support(release):
    """A function from a source package to its support properties."""
    with open(RELEASES) as file:
        row = next((row for row in csv.DictReader(file) if row["version"].split()[0] == release), None)
    if row is None or not row.get("eol"):
        fail(f"{RELEASES} does not know when support of Debian {release} ends")
    package = run("dpkg-query", "-W", "-f", "${Package} ${Version}", "distro-info-data")
    until = row.get("eol-lts") or row["eol"]
    general = [("cpis:support:until", until),
               ("cpis:support:source", f"{package}: Debian {release} ({row['series']}), security team until {row['eol']}, then LTS"),
               ("cpis:support:looked_up", written_on(RELEASES))]
    ended_path, limited_path = f"{SUPPORT}/security-support-ended.deb{release}", f"{SUPPORT}/security-support-limited"
    lists = run("dpkg-query", "-W", "-f", "${Package} ${Version}", "debian-security-support")
    ended, limited = read_list(ended_path, 3), read_list(limited_path, 1)

    def of(source):
        for pattern, fields in ended:
            if re.fullmatch(pattern, source):
                return [("cpis:support:until", fields[1]), ("cpis:support:source", f"{lists}: {fields[2]}"),
                        ("cpis:support:looked_up", written_on(ended_path))]
        for pattern, fields in limited:
            if re.fullmatch(pattern, source):
                return [*general, ("cpis:support:limited", f"{lists}: {fields[0]}")]
        return general
    return general, of


def read_list(path, fields):
    """Lines of `source-package field ...`; the package is a regular expression."""
    with open(path) as file:
        lines = [line.strip().split(None, fields) for line in file if line.strip() and not line.startswith("#")]
    return [(line[0], line[1:]) for line in lines if len(line) == fields + 1]


def other_support():
    with open(os.path.join(HERE, "support.csv")) as file:
        return {row["component"]: [*([("cpis:support:until", row["until"])] if row["until"] else []),
                                   ("cpis:support:source", row["source"]), ("cpis:support:looked_up", row["looked_up"])]
                for row in csv.DictReader(file)}


# ------------------------------------------------------------------ the pages

def pages_components(support):
    with open(PAGES_LOCK) as file:
        packages = json.load(file)["packages"]
    for path, package in sorted(packages.items()):
        if not path:
            continue
        name = path.split("node_modules/")[-1]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
        delivered = name in PAGES_DELIVERED
        properties = support.get(f"npm:{name}", []) if delivered else [("cpis:build", "builds the pages, is not delivered")]
        if delivered and not properties:
            fail(f"support.csv has no line npm:{name}")
        algorithm, digest = package["integrity"].split("-", 1)
        yield {"type": "library", "bom-ref": purl, "name": name, "version": package["version"], "purl": purl,
               "scope": "required" if delivered else "excluded",
               "licenses": [{"license": {"name": package.get("license", "not declared")}}],
               "hashes": [{"alg": {"sha512": "SHA-512"}[algorithm], "content": base64.b64decode(digest).hex()}],
               "properties": as_properties(properties)}


# ------------------------------------------------------------------ the document

def program_component(path, version):
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    name = os.path.basename(path)
    return {"type": "application", "bom-ref": f"cpis:{name}", "name": name, "version": version,
            "hashes": [{"alg": "SHA-256", "content": digest}]}


def make(arguments):
    release = read_release()
    system_support, support_of = debian_support(release)
    with open("/etc/debian_version") as file:
        system = {"type": "operating-system", "bom-ref": "debian", "name": "debian", "version": file.read().strip(),
                  "properties": as_properties(system_support)}
    linked = {path: libraries_of(path) for path in arguments.programs}
    packages = packages_of(sorted({library for one in linked.values() for library in one}))
    programs, libraries, dependencies = [], {}, []
    for path in arguments.programs:
        program = program_component(path, arguments.version)
        programs.append(program)
        uses, direct = set(), set()
        for library, is_direct in linked[path].items():
            package = packages[library]
            if package not in libraries:
                libraries[package] = debian_component(package, release, support_of)
            uses.add(libraries[package]["bom-ref"])
            if is_direct:
                direct.add(libraries[package]["name"])
        program["properties"] = as_properties([("cpis:links", " ".join(sorted(direct)))])
        dependencies.append({"ref": program["bom-ref"], "dependsOn": sorted(uses)})
    pages = list(pages_components(other_support()))
    if any(program["name"] == "cpis-web" for program in programs):
        next(d for d in dependencies if d["ref"] == "cpis:cpis-web")["dependsOn"] += [
            page["bom-ref"] for page in pages if page["scope"] == "required"]
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{uuid.uuid4()}", "version": 1,
        "metadata": {"timestamp": now, "tools": {"components": [{"type": "application", "name": "cpis tests/sbom/sbom.py",
                                                                  "version": arguments.version}]},
                     "component": {"type": "application", "bom-ref": "cpis", "name": "cpis", "version": arguments.version,
                                   "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": [system, *programs, *sorted(libraries.values(), key=lambda one: one["name"]), *pages],
        "dependencies": [{"ref": "cpis", "dependsOn": [program["bom-ref"] for program in programs]}, *dependencies],
    }
    temporary = arguments.out + ".new"
    with open(temporary, "w") as file:
        json.dump(document, file, indent=1, ensure_ascii=False)
        file.write("\n")
    os.replace(temporary, arguments.out)
    print(f"{arguments.out}: {len(programs)} programs, {len(libraries)} Debian packages, {len(pages)} npm packages")


def check(arguments):
    today = arguments.today
    soon = (datetime.date.fromisoformat(today) + datetime.timedelta(days=arguments.soon)).isoformat()
    with open(arguments.file) as file:
        components = json.load(file)["components"]
    over = 0
    for component in components:
        properties = {one["name"]: one["value"] for one in component.get("properties", [])}
        if component.get("scope") == "excluded" or component["name"].startswith("cpis"):
            continue
        name = f"{component['name']} {component['version']}"
        until = properties.get("cpis:support:until")
        if until is None:
            print(f"no known end  {name}: {properties.get('cpis:support:source', 'nobody has looked it up')}")
        elif until < today:
            over += 1
            print(f"OUT OF SUPPORT since {until}  {name} ({properties['cpis:support:source']})")
        elif until <= soon:
            print(f"ends {until}  {name} ({properties['cpis:support:source']})")
        if "cpis:support:limited" in properties:
            print(f"limited  {name}: {properties['cpis:support:limited']}")
    print(f"{over} of {len(components)} components are out of support on {today}")
    return 3 if over else 0


def date(text):
    return datetime.date.fromisoformat(text).isoformat()


def main():
    parser = argparse.ArgumentParser(description="software bill of materials")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("make")
    one.add_argument("--version", required=True)
    one.add_argument("--out", required=True)
    one.add_argument("programs", nargs="+")
    two = commands.add_parser("check")
    two.add_argument("file")
    two.add_argument("--today", type=date, default=datetime.date.today().isoformat())
    two.add_argument("--soon", type=int, default=180)
    arguments = parser.parse_args()
    if arguments.command == "make":
        make(arguments)
        return 0
    return check(arguments)


sys.exit(main())
