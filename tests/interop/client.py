"""The Python client behind a command line like that of `cpis`, for tests/interop: what it prints is JSON, what it exits with is what cpis
exits with. And the vectors: `client.py vectors DIRECTORY`.

usage: client.py --profile FILE [--timeout MS] query [--details] NUMBER | publish FILE | inbox list | inbox ack ID
"""
import argparse
import csv
import json
import os
import sys

import cpis
import vectors


def read_profile(path):
    """Scalars only."""
    values = dict(line.strip().split(": ", 1) for line in open(path, encoding="utf-8") if line.strip())
    for name in values:
        if name.endswith(("_certificate", "_key", "_directory", "_file")):
            values[name] = os.path.join(os.path.dirname(path), values[name])
    return values


def exit_code(error):
    for kinds, code in ((cpis.Usage, 1), (cpis.NoAnswer, 2), ((cpis.Refused, cpis.NotAdmitted), 3), (cpis.ProofError, 4)):
        if isinstance(error, kinds):
            return code
    return 6


def envelope(reply):
    said = {"outcome": cpis.pb.Outcome.Name(reply.outcome), "audit_index": reply.receipt.index, "proof": "checked"}
    return said if reply.outcome == cpis.pb.OK else {**said, "reason_code": reply.reason_code}


def query(client, profile, arguments):
    question = {"nhs_number": arguments.value, "care_setting": profile.get("care_setting", "CARE_SETTING_UNSPECIFIED").upper()}
    reply = client.call(cpis.pb.Request(flag=question), arguments.timeout)
    if not arguments.details:
        return {**envelope(reply), "flag": reply.flag.flag}
    reply = client.call(cpis.pb.Request(details=question), arguments.timeout)
    plans = [{"type": cpis.pb.PlanType.Name(plan.type), "authority": {"organisation": plan.authority.organisation}}
             for plan in reply.details.plans]
    return {**envelope(reply), "flag": bool(plans), "plans": plans, "notified": reply.details.notified}


def publish(client, _, arguments):
    with open(arguments.value, encoding="utf-8", newline="") as file:
        records = [{"type": row.pop("plan_type"), "row": number, **row} for number, row in enumerate(csv.DictReader(file), 1)]
    request = cpis.pb.Request(publish={"authority": client.system[0], "records": records})
    told = client.call(request, arguments.timeout, sign=True).publish
    return {"file_outcome": cpis.pb.FileOutcome.Name(told.outcome), "received": told.received, "stored": told.stored}


def inbox(client, _, arguments):
    if arguments.value == "ack":
        request = cpis.pb.Request(inbox_acknowledge={"ids": [int(arguments.id)], "settlement": cpis.pb.SEEN})
        reply = client.call(request, arguments.timeout)
        return {**envelope(reply), "acknowledged": reply.inbox_acknowledge.acknowledged}
    reply = client.call(cpis.pb.Request(inbox_list={}), arguments.timeout)
    return {**envelope(reply), "unacknowledged": reply.inbox_list.unacknowledged,
            "items": [{"id": item.id, "nhs_number": item.access.nhs_number} for item in reply.inbox_list.items]}


def run(arguments):
    profile = read_profile(arguments.profile)
    options = {name: value for name, value in profile.items() if name not in ("staff_certificate", "staff_key", "role", "care_setting")}
    with cpis.Client(**options) as client:
        client.open_session(profile["staff_certificate"], profile["staff_key"], profile["role"], arguments.timeout)
        return {"query": query, "publish": publish, "inbox": inbox}[arguments.command](client, profile, arguments)


def main():
    if sys.argv[1:2] == ["vectors"]:
        return vectors.run(sys.argv[2])
    parser = argparse.ArgumentParser()
    parser.add_argument("--profile", required=True)
    parser.add_argument("--timeout", type=int, default=5000)
    parser.add_argument("command", choices=("query", "publish", "inbox"))
    parser.add_argument("--details", action="store_true")
    parser.add_argument("value")
    parser.add_argument("id", nargs="?")
    try:
        print(json.dumps(run(parser.parse_args())))
        return 0
    except cpis.Refused as error:
        print(json.dumps(envelope(error.reply)))
        print(f"client.py: {error}", file=sys.stderr)
        return exit_code(error)
    except cpis.Error as error:
        print(f"client.py: {error}", file=sys.stderr)
        return exit_code(error)


if __name__ == "__main__":
    sys.exit(main())
