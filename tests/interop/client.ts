// The TypeScript client behind a command line like that of `cpis`, as client.py beside this:
//
//	client.js --profile FILE [--timeout MS] query [--details] NUMBER | publish FILE | inbox list | inbox ack ID
//	client.js vectors DIRECTORY
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { Client, CpisError, Fields, NoAnswerError, NotAdmittedError, ProofError, RefusedError, Reply, UsageError } from
  "../src/cpis";
import { Verifier } from "../src/log";
import { sigstoreSays } from "./sigstore";
import { runVectors } from "./vectors";

interface Asked {
  client: Client;
  logKey: string;
  profile: Map<string, string>;
  deadlineMs: number;
  details: boolean;
  values: string[];
}

function readProfile(path: string): Map<string, string> {
  const lines = readFileSync(path, "utf8").split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => {
    const [name, value] = line.split(": ", 2) as [string, string];
    return [name, /_(certificate|key|directory|file)$/.test(name) ? resolve(dirname(path), value) : value] as const;
  }));
}

function exitCode(error: CpisError): number {
  if (error instanceof UsageError) return 1;
  if (error instanceof NoAnswerError) return 2;
  if (error instanceof RefusedError || error instanceof NotAdmittedError) return 3;
  return error instanceof ProofError ? 4 : 6;
}

function envelope({ client, logKey }: Pick<Asked, "client" | "logKey">, reply: Reply): Fields {
  // Who is not ours has to agree that it is proven.
  if (!sigstoreSays(new Verifier(readFileSync(logKey, "utf8")), reply.receipt!)) throw new Error("sigstore does not find the receipt proven");
  const said = { outcome: client.messages.enumName("Outcome", reply.outcome), audit_index: reply.receipt!.index.toNumber(), proof: "checked" };
  return said.outcome === "OK" ? said : { ...said, reason_code: reply.reason_code };
}

async function query(asked: Asked): Promise<Fields> {
  const { client, profile, deadlineMs, details, values } = asked;
  const question = { nhs_number: values[0], care_setting: (profile.get("care_setting") ?? "CARE_SETTING_UNSPECIFIED").toUpperCase() };
  let reply = await client.call({ flag: question }, { deadlineMs });
  if (!details) return { ...envelope(asked, reply), flag: reply["flag"].flag };
  reply = await client.call({ details: question }, { deadlineMs });
  const told: Fields = reply["details"];
  const plans = told["plans"].map((plan: Fields) => ({
    type: client.messages.enumName("PlanType", plan["type"]), authority: { organisation: plan["authority"].organisation },
  }));
  return { ...envelope(asked, reply), flag: plans.length > 0, plans, notified: told["notified"] };
}

async function publish({ client, deadlineMs, values }: Asked): Promise<Fields> {
  const [header, ...rows] = readFileSync(values[0]!, "utf8").split("\n").filter((line) => line !== "").map((line) => line.split(","));
  const records = rows.map((row, number) => ({
    ...Object.fromEntries(row.map((value, column) => [header![column] === "plan_type" ? "type" : header![column], value])), row: number + 1,
  }));
  const reply = await client.call({ publish: { authority: client.parties.organisation, records } }, { deadlineMs, sign: true });
  const told: Fields = reply["publish"];
  return { file_outcome: client.messages.enumName("FileOutcome", told["outcome"]), received: told["received"], stored: told["stored"] };
}

async function inbox(asked: Asked): Promise<Fields> {
  const { client, deadlineMs, values } = asked;
  if (values[0] === "ack") {
    const reply = await client.call({ inbox_acknowledge: { ids: [values[1]], settlement: "SEEN" } }, { deadlineMs });
    return { ...envelope(asked, reply), acknowledged: reply["inbox_acknowledge"].acknowledged };
  }
  const reply = await client.call({ inbox_list: {} }, { deadlineMs });
  const told: Fields = reply["inbox_list"];
  const items = told["items"].map((item: Fields) => ({ id: item["id"].toNumber(), nhs_number: item["access"]?.nhs_number ?? "" }));
  return { ...envelope(asked, reply), unacknowledged: told["unacknowledged"].toNumber(), items };
}

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { profile: { type: "string" }, timeout: { type: "string", default: "5000" }, details: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const [command, ...rest] = positionals;
  if (command === "vectors") return runVectors(rest[0]!, join(__dirname, "..", "..", "cpis.proto"));
  const profile = readProfile(values.profile!);
  const own = (name: string): string => profile.get(name)!;
  const logKey = join(own("trust_directory"), "log.vkey");
  let client: Client | null = null;
  try {
    client = new Client({
      endpoint: own("endpoint"), brokerName: own("broker_name"), brokerCertificate: own("broker_certificate"),
      trustDirectory: own("trust_directory"), systemCertificate: own("system_certificate"), systemKey: own("system_key"),
      ...(profile.has("checkpoint_file") ? { checkpointFile: own("checkpoint_file") } : {}),
    });
    const deadlineMs = Number(values.timeout);
    await client.openSession(own("staff_certificate"), own("staff_key"), own("role"), deadlineMs);
    const asked = { client, logKey, profile, deadlineMs, details: values.details!, values: rest };
    console.log(JSON.stringify(await (command === "query" ? query(asked) : command === "publish" ? publish(asked) : inbox(asked))));
    return 0;
  } catch (error) {
    if (!(error instanceof CpisError)) throw error;
    if (error instanceof RefusedError) console.log(JSON.stringify(envelope({ client: client!, logKey }, error.reply)));
    console.error(`client.js: ${error.name}: ${error.message}`);
    return exitCode(error);
  } finally {
    client?.close();
  }
}

run().then((code) => process.exit(code), (error) => {
  console.error(error);
  process.exit(70);
});
