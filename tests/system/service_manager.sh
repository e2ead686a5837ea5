#!/usr/bin/env bash
# A real broker under something that listens as systemd does: it says when it serves, feeds the watchdog while it works and not while it
# hangs, says that it stops, and lets nobody else speak for it. Under systemd itself: make test-package.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${BUILD:-build}")
world=$(mktemp -d /tmp/cpis-manager-XXXXXX)
trap 'rm -rf "$world"' EXIT
cp broker/policy.yaml "$world/"
cd "$world"
"$build/cpis" certs init --dir authority --broker-name broker-1 > /dev/null
"$build/cpis-broker" --make-store-key store.key
printf 'organisations: []\nrole_profiles: []\n' > register.yaml
cat > broker.yaml << 'END'
broker_name: broker-1
endpoint: tcp://127.0.0.1:*
certificate: authority/broker/broker.pem
key: authority/broker/broker.key
log_key: authority/broker/log.key
trust_directory: authority/trust
enrolled_directory: authority/enrolled
register_file: register.yaml
policy_file: policy.yaml
store_file: store.db
store_key: store.key
END
python3 - "$build/cpis-broker" << 'END'
import os, signal, socket, subprocess, sys

program, checks = sys.argv[1], 0
PATIENCE_S = 60


def check(good, what):
    global checks
    checks += 1
    if not good:
        print(f"service_manager.sh: failed: {what}", file=sys.stderr)
        print(open("broker.log").read(), file=sys.stderr)
        print(f"0%: Checks: {checks}, Failures: 1, Errors: 0")
        sys.exit(1)


manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind("notify")


def hear(timeout=PATIENCE_S):
    manager.settimeout(timeout)
    try:
        return manager.recv(4096).decode()
    except TimeoutError:
        return ""


def hear_until(word):
    for _ in range(1000):
        said = hear()
        if said == "" or said.startswith(word):
            return said
    return ""


environment = dict(os.environ, NOTIFY_SOCKET=os.path.abspath("notify"), WATCHDOG_USEC="400000")
log = open("broker.log", "w")
broker = subprocess.Popen([program, "broker.yaml"], env=environment, stderr=log)
try:
    said = hear()
    check(said.startswith("READY=1\nSTATUS=serves on tcp://127.0.0.1:"), f"is not told that it serves, but: {said}")
    check("ready" in open("broker.log").read(), "it was told before it was so")
    for _ in range(3):
        check(hear() == "WATCHDOG=1", "the watchdog is fed")
    # What the keeper started has nothing to speak with. The core and its keeper had the variables at their start, and took them out.
    fronts = [pid for pid in os.listdir("/proc") if pid.isdigit() and b"--front" in open(f"/proc/{pid}/cmdline", "rb").read()
              and os.stat(f"/proc/{pid}/cwd").st_ino == os.stat(".").st_ino]
    check(len(fronts) == 1, f"one front, not {len(fronts)}")
    check(b"NOTIFY_SOCKET" not in open(f"/proc/{fronts[0]}/environ", "rb").read(), "the front can speak for the broker")
    os.kill(broker.pid, signal.SIGSTOP)
    os.waitpid(broker.pid, os.WUNTRACED)
    while hear(0.001) != "":
        pass
    check(hear(1) == "", "a broker that hangs feeds the watchdog")
    os.kill(broker.pid, signal.SIGCONT)
    check(hear() == "WATCHDOG=1", "and does so again when it goes on")
    # A changed register is told in the status.
    with open("register.new", "w") as register:
        register.write("organisations: [{ods: RXH, name: Hospital, type: care_provider, care_settings: [maternity]}]\nrole_profiles: []\n")
    os.rename("register.new", "register.yaml")
    check(hear_until("STATUS=").startswith("STATUS=serves on"), "the status after another register")
    broker.send_signal(signal.SIGTERM)
    check(hear_until("STOPPING=1").startswith("STOPPING=1\n"), "is not told that it stops")
    check(broker.wait(PATIENCE_S) == 0, "ends with 0")
finally:
    broker.kill()

# A manager that cannot be told would end the broker later, and nobody would know why.
environment["NOTIFY_SOCKET"] = "/nowhere/notify"
ended = subprocess.run([program, "broker.yaml"], env=environment, capture_output=True, text=True, timeout=PATIENCE_S)
check(ended.returncode == 2 and "cannot_start NOTIFY_SOCKET /nowhere/notify: No such file or directory" in ended.stderr,
      f"a manager that is not there: {ended.returncode} {ended.stderr}")
print(f"100%: Checks: {checks}, Failures: 0, Errors: 0")
END
