"""Sends ADT messages by MLLP, and asks the same directly; both have to be answered and recorded alike.

usage: replay.py HOST:PORT PROFILE MESSAGES     the profile is that of `cpis`, for the direct questions

Prints how many messages, how many were known, how many a second; exits 1 with the first difference. The numbers are synthetic: those
given in KNOWN, and others from 999 000 1000 on that nobody has a plan for.
"""
import asyncio
import os
import sys
import time

import hl7
import hl7.mllp
import yaml

import cpis

KNOWN = ["9990000018", "9990000026"]
CONNECTIONS = 8
EVENTS = ["A01", "A04", "A28"]


def numbers(count):
    """Every tenth is known."""
    others = (str(n) for n in range(9990001000, 9999999999) if cpis.is_nhs_number(str(n)))
    return [KNOWN[i // 10 % len(KNOWN)] if i % 10 == 0 else next(others) for i in range(count)]


def message(place, number, run):
    return (f"MSH|^~\\&|PAS|RXH|CPIS|RXH|20261127030000||ADT^{EVENTS[place % 3]}|{run}-{place}|P|2.4\r"
            f"EVN|{EVENTS[place % 3]}|20261127030000\r"
            f"PID|1||H{place:07}^^^RXH^MR~{number[:3]} {number[3:6]} {number[6:]}^^^NHS^NH||EXAMPLE^ALEX||20200201|M\rPV1|1|E\r")


async def send(host, port, work, answers):
    reader, writer = await hl7.mllp.open_hl7_connection(host, int(port), encoding="utf-8")
    while work:
        place, number, text = work.pop()
        writer.writemessage(hl7.parse(text))
        await writer.drain()
        ack = await reader.readmessage()
        segments = {str(segment[0]): segment for segment in ack}
        if str(segments["MSA"](1)) != "AA":
            raise SystemExit(f"message {place}: {ack}")
        answers[place] = str(segments["OBX"](5)).split("^")[0]
    writer.close()


async def replay(place, all_numbers, run):
    host, port = place.rsplit(":", 1)
    work = [(i, number, message(i, number, run)) for i, number in enumerate(all_numbers)]
    answers = {}
    await asyncio.gather(*(send(host, port, work, answers) for _ in range(CONNECTIONS)))
    return [answers[i] for i in range(len(all_numbers))]


def connect(path):
    folder = os.path.dirname(os.path.abspath(path))
    with open(path, encoding="utf-8") as file:
        profile = yaml.safe_load(file)

    def at(key):
        return os.path.join(folder, profile[key])

    client = cpis.Client(profile["endpoint"], profile["broker_name"], broker_certificate=at("broker_certificate"),
                         trust_directory=at("trust_directory"), system_certificate=at("system_certificate"), system_key=at("system_key"))
    client.open_session(at("staff_certificate"), at("staff_key"), profile["role"])
    return client


def main():
    place, profile, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    all_numbers = numbers(count)
    began = time.monotonic()
    replayed = asyncio.run(replay(place, all_numbers, os.getpid()))
    took = time.monotonic() - began
    client = connect(profile)
    for i, number in enumerate(all_numbers):
        reply = client.call(cpis.pb.Request(flag={"nhs_number": number, "care_setting": "EMERGENCY_DEPARTMENT"}))
        direct = "Y" if reply.flag.flag else "N"
        if direct != replayed[i]:
            raise SystemExit(f"message {i}: {replayed[i]} by MLLP, {direct} directly")
    print(f"{count} messages over {CONNECTIONS} connections, {replayed.count('Y')} known, {count / took:.0f} a second; each as directly")


main()
