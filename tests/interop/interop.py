"""Clients of three languages on one stage: each goes through the vectors and then the same cases against the real broker and against
one that lies. Prints a table of cases by clients; exits with 1 unless all passed.

usage: interop.py BUILD
"""
import contextlib
import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
import threading

BUILD = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WAIT_S = 60
CASE_MS = "20000"


# ---- the clients, each behind the same command line

class Client:
    def __init__(self, name, command, vectors, environment=None):
        self.name, self.command, self.vectors = name, command, vectors
        self.environment = {**os.environ, **(environment or {})}

    def run(self, *arguments):
        return subprocess.run([*self.command, *arguments], env=self.environment, capture_output=True, text=True, timeout=WAIT_S,
                              check=False)


class CommandClient(Client):
    """cpis itself."""

    def ask(self, profile, *arguments, timeout=CASE_MS):
        if arguments[0] == "publish":
            arguments = ("publish", "--now", arguments[1])
        return self.run("--profile", profile, "--timeout", timeout, "--json", *arguments)


class LibraryClient(Client):
    """A library behind a test's command line."""

    def ask(self, profile, *arguments, timeout=CASE_MS):
        return self.run("--profile", profile, "--timeout", timeout, *arguments)


def vectors_are_what_the_code_makes():
    """C: what made them is libcpis and the codec; made again they are the same."""
    made = os.path.join(BUILD, "tests", "interop", "made-vectors")
    os.makedirs(made, exist_ok=True)
    subprocess.run([os.path.join(BUILD, "tests/interop/vectors"), made], check=True, cwd=ROOT)
    for name in sorted({*os.listdir(made), *(n for n in os.listdir(os.path.join(ROOT, "tests/vectors")) if n.endswith(".json"))}):
        with open(os.path.join(made, name), "rb") as ours, open(os.path.join(ROOT, "tests/vectors", name), "rb") as kept:
            assert ours.read() == kept.read(), f"{name} is not what the code makes: {BUILD}/tests/interop/vectors tests/vectors"


CLIENTS = [
    CommandClient("C", [os.path.join(BUILD, "cpis")], None),
    LibraryClient("Python", ["/usr/bin/python3", os.path.join(HERE, "client.py")], "vectors",
                  {"PYTHONPATH": f"{ROOT}/clients/python:{BUILD}/python", "PYTHONDONTWRITEBYTECODE": "1"}),
    LibraryClient("TypeScript", ["node", os.path.join(BUILD, "typescript/out/interop/client.js")], "vectors"),
]


# ---- the stage

class Stage:
    def __init__(self):
        self.process = subprocess.Popen([os.path.join(BUILD, "tests/interop/stage")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, cwd=ROOT, env={**os.environ, "BUILD": BUILD})
        self.directory, self.endpoint = self._heard().split()
        self.made = 0

    def _heard(self):
        for line in self.process.stdout:
            if line.startswith("stage: "):
                return line[len("stage: "):].strip()
        raise AssertionError("the stage has ended")

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        said = self._heard()
        assert said == "done", f"the stage was told {command!r} and said {said!r}"

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def profile(self, person, **changes):
        """A profile of this person's, in a file of its own, without a checkpoint file unless one is given."""
        with open(self.path("profiles", person + ".yaml"), encoding="utf-8") as file:
            values = dict(line.strip().split(": ", 1) for line in file)
        values.pop("checkpoint_file")
        values.update(changes)
        self.made += 1
        path = self.path("profiles", f"case-{self.made}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{name}: {value}\n" for name, value in values.items())
        return path

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(WAIT_S)


class Proxy:
    """Between a client and the broker. It loses the broker's `lost`th message on the first connection, has the broker restarted, and
    breaks the connection; those that follow are passed through."""

    def __init__(self, endpoint, lost, restart):
        self.to, self.lost, self.restart = ("127.0.0.1", int(endpoint.rsplit(":", 1)[1])), lost, restart
        self.has_lost = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    broker = socket.create_connection(self.to)
                except OSError:
                    client.close()
                    continue
                threading.Thread(target=self._copy, args=(client, broker), daemon=True).start()
                threading.Thread(target=self._watch, args=(broker, client), daemon=True).start()

    @staticmethod
    def _copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _watch(self, broker, client):
        """ZMTP 3.1: 64 bytes of greeting, then frames: flags, a length of 1 or 8 bytes, and so many bytes. 4 is the flag of a command."""
        if self.has_lost:
            return self._copy(broker, client)
        with contextlib.suppress(OSError, EOFError):
            stream = broker.makefile("rb", buffering=0)
            for _ in range(64):  # each end waits for the other's in between
                client.sendall(self._exactly(stream, 1))
            messages = 0
            while True:
                flags = self._exactly(stream, 1)
                length = self._exactly(stream, 8 if flags[0] & 2 else 1)
                body = self._exactly(stream, int.from_bytes(length, "big"))
                messages += not flags[0] & 4
                if messages == self.lost and not flags[0] & 4:
                    self.has_lost = True
                    self.restart()
                    break
                client.sendall(flags + length + body)
        for one in (broker, client):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        return None

    @staticmethod
    def _exactly(stream, count):
        data = b""
        while len(data) < count:
            more = stream.read(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def close(self):
        self.listener.close()


# ---- cases

def told(result, code=0):
    assert result.returncode == code, f"exit {result.returncode}, not {code}: {result.stdout}{result.stderr}"
    return json.loads(result.stdout) if result.stdout.strip() else {}


def child(number):
    """The number'th NHS number of those kept for tests: `stage` and all clients count alike."""
    for candidate in range(999000001, 999999999):
        digits = str(candidate)
        check = (11 - sum(int(d) * (10 - i) for i, d in enumerate(digits)) % 11) % 11
        if check != 10:
            if number == 0:
                return digits + str(check)
            number -= 1
    raise AssertionError


def write_plans(stage, number):
    path = stage.path(f"plans-{number}.csv")
    with open(path, "w", encoding="utf-8") as file:
        today = datetime.date.today()
        file.write("nhs_number,plan_type,start_date,local_id,family_name,given_names,birth_date\n"
                   f"{number},CPP,{today - datetime.timedelta(days=40)},LCS-1,EXAMPLE,ALEX,{today.year - 10}-06-01\n")
    return path


def another_than(client):
    return CLIENTS[(CLIENTS.index(client) + 1) % len(CLIENTS)]


def inbox_of(client, stage, number):
    listed = told(client.ask(stage.profile("leeds"), "inbox", "list"))
    return [item["id"] for item in listed["items"] if item.get("nhs_number") == number]


def vectors(client, stage, number):
    if client.vectors is None:
        vectors_are_what_the_code_makes()
        return
    result = client.run("vectors", os.path.join(ROOT, "tests/vectors"))
    assert result.returncode == 0, result.stdout + result.stderr


def publication_appears_to_the_others(client, stage, number):
    published = told(client.ask(stage.profile("leeds"), "publish", write_plans(stage, number)))
    assert (published["file_outcome"], published["stored"]) == ("CPF02", 1), published
    assert told(another_than(client).ask(stage.profile("nurse"), "query", number))["flag"]


def flag_is_proven(client, stage, number):
    said = told(client.ask(stage.profile("nurse"), "query", number))
    assert said["outcome"] == "OK" and said["proof"] == "checked" and said["audit_index"] > 0, said
    assert not told(client.ask(stage.profile("nurse"), "query", child(90)))["flag"]


def details_notify_the_authority(client, stage, number):
    said = told(client.ask(stage.profile("nurse"), "query", "--details", number))
    assert said["notified"] and said["proof"] == "checked", said
    assert [(plan["type"], plan["authority"]["organisation"]) for plan in said["plans"]] == [("CPP", "383")], said
    assert len(inbox_of(client, stage, number)) == 1


def inbox_is_acknowledged(client, stage, number):
    item, = inbox_of(client, stage, number)
    said = told(client.ask(stage.profile("leeds"), "inbox", "ack", str(item)))
    assert said["acknowledged"] == 1, said
    assert not inbox_of(another_than(client), stage, number)


def refusal_has_a_receipt(client, stage, number):
    said = told(client.ask(stage.profile("receptionist"), "query", number), 3)
    assert (said["outcome"], said["reason_code"], said["proof"]) == ("ACCESS_DENIED", "role_lacks_activity", "checked"), said
    assert said["audit_index"] > 0


def wrong_number_is_refused(client, stage, number):
    told(client.ask(stage.profile("nurse"), "query", number[:9] + str((int(number[9]) + 1) % 10)), 1 if client.name == "C" else 3)


def unknown_system_is_not_admitted(client, stage, number):
    told(client.ask(stage.profile("nurse", system_certificate="../systems/stranger.pem", system_key="../systems/stranger.key"), "query",
                    number), 3)


def another_brokers_name_is_not_connected_to(client, stage, number):
    told(client.ask(stage.profile("nurse", broker_name="cpis-2"), "query", number), 6)


def systems_certificate_is_no_brokers(client, stage, number):
    told(client.ask(stage.profile("nurse", broker_certificate="../systems/leeds.pem", broker_name="leeds-case-system"), "query", number), 6)


def deadline_ends_it(client, stage, number):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        told(client.ask(stage.profile("nurse", endpoint=endpoint), "query", number, timeout="700"), 2)


def retry_over_a_restart_is_done_once(client, stage, number):
    # Lost: the third message of the broker, after those to session and flag.
    before = len(inbox_of(client, stage, number))
    proxy = Proxy(stage.endpoint, 3, lambda: stage.tell("restart"))
    try:
        said = told(client.ask(stage.profile("nurse", endpoint=proxy.endpoint), "query", "--details", number))
    finally:
        proxy.close()
    assert proxy.has_lost and said["notified"], said
    assert len(inbox_of(client, stage, number)) == before + 1, "it was done twice, or not at all"


def checkpoint_is_remembered(client, stage, number):
    """In a file that cpis reads and writes too."""
    changes = {"checkpoint_file": f"interop-{client.name}.checkpoint"}
    for one in (client, CLIENTS[0], client):  # cpis has compared it with others' by then, and does not for an hour
        told(one.ask(stage.profile("nurse", **changes), "query", number))
    with open(stage.path("profiles", changes["checkpoint_file"]), encoding="utf-8") as file:
        assert file.readline() == "cpis.example/audit/test\n"


def unusable_files_are_refused(client, stage, number):
    """The person's or system's own: nothing is sent."""
    key = stage.path("systems", f"readable-{client.name}.key")
    shutil.copy(stage.path("systems/hospital.key"), key)
    os.chmod(key, 0o644)
    bundle = stage.path(f"broken-{client.name}")
    shutil.copytree(stage.path("authority/trust"), bundle)
    shutil.copy(os.path.join(bundle, "staff.crl.pem"), os.path.join(bundle, "systems.crl.pem"))
    keyless = stage.path(f"keyless-{client.name}")
    shutil.copytree(stage.path("authority/trust"), keyless)
    with open(os.path.join(keyless, "log.vkey"), "w", encoding="utf-8") as file:
        file.write("cpis.example/audit/test+00000000+AAAA\n")
    with open(stage.path("profiles/no.checkpoint"), "w", encoding="utf-8") as file:
        file.write("no checkpoint\n")
    for changes in ({"system_key": key}, {"system_key": "../systems/leeds.key"}, {"staff_key": "../staff/midwife.key"},
                    {"staff_key": "../systems/hospital.key"}, {"staff_certificate": "../systems/hospital.pem"}, {"trust_directory": bundle},
                    {"trust_directory": keyless},
                    {"system_key": "../systems/none.key"}, {"checkpoint_file": "no.checkpoint"}, {"checkpoint_file": "none/a.checkpoint"}):
        result = client.ask(stage.profile("nurse", **changes), "query", number)
        assert result.returncode in (1, 3, 6) and "Traceback" not in result.stderr and len(result.stderr.splitlines()) == 1, \
            f"{changes}: exit {result.returncode}: {result.stderr}"
        assert "ENOENT" not in result.stderr or "none" in result.stderr, result.stderr


def authorities_may_be_changing(client, stage, number):
    """With another authority's six files in next/, what the present one issued still holds."""
    bundle = stage.path(f"rotating-{client.name}")
    shutil.copytree(stage.path("authority/trust"), bundle)
    shutil.copytree(stage.path("next-authority/trust"), os.path.join(bundle, "next"))
    told(client.ask(stage.profile("nurse", trust_directory=bundle), "query", number))


def lies(lie):
    def case(client, stage, number):
        stage.tell("liar " + lie)
        code = 6 if lie in ("no_receipt", "another_body", "too_new") else 4
        told(client.ask(stage.profile("nurse"), "query", number), code)
    case.__name__ = f"lie_{lie}"
    return case


def honest_answers_of_a_liar_are_taken(client, stage, number):
    stage.tell("liar truth")
    assert told(client.ask(stage.profile("nurse"), "query", number))["flag"]


def newer_brokers_are_understood(client, stage, number):
    """Sixteen fields more in each message that it says and records."""
    stage.tell("liar newer")
    said = told(client.ask(stage.profile("nurse"), "query", number))
    assert said["flag"] and said["proof"] == "checked", said


def silence_is_asked_again(client, stage, number):
    stage.tell("liar silent_once")
    assert told(client.ask(stage.profile("nurse"), "query", number))["flag"]


def who_has_no_time_is_asked_again(client, stage, number):
    stage.tell("liar unavailable_once")
    assert told(client.ask(stage.profile("nurse"), "query", number))["flag"]


def flood_ends_with_the_deadline(client, stage, number):
    """Answers to what was not asked, faster than they are read."""
    stage.tell("liar flood")
    told(client.ask(stage.profile("nurse"), "query", number, timeout="2000"), 2)


def lie_replaced_log(client, stage, number):
    stage.tell("liar truth")
    file = f"interop-{client.name}.checkpoint"
    result = client.ask(stage.profile("nurse", checkpoint_file=file), "query", number)
    told(result, 4)
    evidence = [name for name in os.listdir(stage.path("profiles")) if name.startswith(file + ".evidence-")]
    assert len(evidence) == 1 and evidence[0] in result.stderr, evidence
    compared = subprocess.run([os.path.join(BUILD, "cpis"), "audit", "compare", "--log-key", stage.path("authority/trust/log.vkey"),
                               stage.path("profiles", evidence[0])], capture_output=True, text=True, check=False)
    assert compared.returncode == 5 and compared.stderr.startswith("UNDECIDED: the checkpoints are of different sizes"), compared


HONEST = [vectors, publication_appears_to_the_others, flag_is_proven, details_notify_the_authority, inbox_is_acknowledged,
          refusal_has_a_receipt, wrong_number_is_refused, unknown_system_is_not_admitted, another_brokers_name_is_not_connected_to,
          systems_certificate_is_no_brokers, deadline_ends_it, retry_over_a_restart_is_done_once, checkpoint_is_remembered,
          unusable_files_are_refused, authorities_may_be_changing]
LYING = [honest_answers_of_a_liar_are_taken, newer_brokers_are_understood, silence_is_asked_again, who_has_no_time_is_asked_again,
         *(lies(lie) for lie in ("no_receipt", "another_receipt", "altered_record", "another_outcome", "another_key", "shorter_log",
                                 "forked_log", "another_body", "too_new")), flood_ends_with_the_deadline, lie_replaced_log]


def make_stranger(stage):
    """Certified, and not on the broker's list."""
    before = set(os.listdir(stage.path("authority/enrolled")))
    subprocess.run([os.path.join(BUILD, "cpis"), "certs", "issue-system", "--dir", stage.path("authority"), "--ods", "RXH", "--name",
                    "stranger", "--out", stage.path("systems"), "--file", "stranger"], check=True, capture_output=True)
    for name in set(os.listdir(stage.path("authority/enrolled"))) - before:
        os.remove(stage.path("authority/enrolled", name))


def make_next_authority(stage):
    subprocess.run([os.path.join(BUILD, "cpis"), "certs", "init", "--dir", stage.path("next-authority"), "--broker-name", "cpis-next"],
                   check=True, capture_output=True)
    os.remove(stage.path("next-authority/trust/log.vkey"))


def set_contacts(stage):
    subprocess.run([os.path.join(BUILD, "cpis"), "--profile", stage.profile("leeds"), "contacts", "set", "--emergency-duty",
                    "0113 496 0000"], check=True, capture_output=True)


def main():
    results = {}
    stage = Stage()
    try:
        make_stranger(stage)
        make_next_authority(stage)
        set_contacts(stage)
        for case in HONEST + LYING:
            for number, client in enumerate(CLIENTS):
                try:
                    case(client, stage, child(number))
                    results[case.__name__, client.name] = "ok"
                except Exception as error:  # whatever it is, the other cases are gone through too
                    results[case.__name__, client.name] = "FAILED"
                    print(f"{client.name}: {case.__name__}: {type(error).__name__}: {error}")
    finally:
        stage.close()
    print(f"{'':42}" + "".join(f"{client.name:>12}" for client in CLIENTS))
    for case in HONEST + LYING:
        print(f"{case.__name__.replace('_', ' '):42}" + "".join(f"{results[case.__name__, client.name]:>12}" for client in CLIENTS))
    failed = sum(result != "ok" for result in results.values())
    print(f"{100 * (len(results) - failed) // len(results)}%: Checks: {len(results)}, Failures: {failed}, Errors: 0")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
