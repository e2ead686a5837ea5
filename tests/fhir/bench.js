// What a query costs by FHIR: the processor time of the facade and of the broker, beside that of the same question by libcpis alone and
// of a bare answer of the same size by the same server. It is the time that all threads of each process have run
// (/proc/<pid>/task/*/schedstat), so that load elsewhere counts little. In turn, several times; the middle is printed. A figure to
// read, not a check.
"use strict";
const fs = require("node:fs");
const https = require("node:https");
const path = require("node:path");
const readline = require("node:readline");
const {spawn} = require("node:child_process");
const {makeFhirWorld, seen, children, tls, repository} = require("./world.js");

const ROUNDS = 7, QUERIES = 400, NURSES = 40; // nobody asks more often than the policy allows
const build = path.resolve(repository, process.env.BUILD);

const read = (file) => { try { return fs.readFileSync(file, "utf8"); } catch { return ""; } };
const tasks = (pid) => { try { return fs.readdirSync(`/proc/${pid}/task`); } catch { return []; } };
const childrenOf = (pid) => tasks(pid).flatMap((task) => read(`/proc/${pid}/task/${task}/children`).split(" ").filter(Boolean));
// Of a process and of those that it started, the broker's front among them.
function ranMs(pid) {
  const own = tasks(pid).reduce((sum, task) => sum + Number(read(`/proc/${pid}/task/${task}/schedstat`).split(" ")[0]), 0) / 1e6;
  return childrenOf(pid).reduce((sum, child) => sum + ranMs(child), own);
}

const agent = new https.Agent({keepAlive: true, maxSockets: 1});
function ask(base, where, method, headers, body) {
  return new Promise((resolve, reject) => {
    const request = https.request(base + where, {method, headers, agent, servername: "localhost"}, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part)).on("end", () => resolve({status: response.statusCode, bytes: Buffer.concat(parts).length}));
    });
    request.on("error", reject);
    request.end(body);
  });
}

// Milliseconds of each process for a question, of `many` that are asked at once by `one`.
async function measure(pids, many, one) {
  await one(1); // the connection, and what is made once
  const before = pids.map(ranMs);
  await one(many);
  return pids.map((pid, i) => (ranMs(pid) - before[i]) / many);
}

async function startDirect(world, tokens) {
  world.write("direct.tokens", tokens.map((token) => `${token}\n`).join(""), 0o600);
  world.write("direct-profile.yaml", world.profile("fhir") + "checkpoint_file: direct.checkpoint\n");
  const child = spawn(path.join(build, "tests/fhir/direct"), ["direct-profile.yaml", "direct.tokens", children.known],
    {cwd: world.folder, stdio: ["pipe", "pipe", "inherit"]});
  world.processes.push(child);
  const lines = readline.createInterface({input: child.stdout})[Symbol.asyncIterator]();
  const expect = async (word) => { const {value} = await lines.next(); if (value !== word) throw new Error(`direct: ${value}`); };
  await expect("ready");
  return {pid: child.pid, ask: (person) => { child.stdin.write(`${person}\n`); return expect("done"); }, end: () => child.stdin.end()};
}

const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function main() {
  const world = await makeFhirWorld(2 * NURSES);
  try {
    const tokens = world.nurses.map((nurse) => world.provider.token(nurse, "R8001"));
    const body = new URLSearchParams({"patient:identifier": `https://fhir.nhs.uk/Id/nhs-number|${children.known}`}).toString();
    const query = async (i) => {
      const answer = await ask(world.base, "/Flag/_search", "POST", {authorization: `Bearer ${tokens[i % NURSES]}`, "content-type": "application/x-www-form-urlencoded"}, body);
      if (answer.status !== 200) throw new Error(`query ${i}: ${answer.status}`);
      return answer;
    };
    const repeat = (one) => async (count) => { for (let i = 0; i < count; i++) await one(i); };
    await repeat(query)(NURSES); // sessions
    const {bytes} = await query(0);
    const direct = await startDirect(world, tokens.slice(NURSES));
    const plain = world.start("tests/fhir/plain", [`${tls}/fhir.pem`, `${tls}/fhir.key`, String(bytes)], "plain.log");
    const base = (await seen(world.file("plain.log"), /ready: (https:\S+)/, plain))[1];
    const rounds = {facade: [], broker: [], client: [], broker_direct: [], bare: []};
    for (let i = 0; i < ROUNDS; i++) {
      const [facade, broker] = await measure([world.facade.pid, world.broker.pid], QUERIES, repeat(query));
      // One at a time, as the others: back to back its threads and the broker's would not have to be woken each time.
      const [client, brokerDirect] = await measure([direct.pid, world.broker.pid], QUERIES, repeat(direct.ask));
      const [bare] = await measure([plain.pid], QUERIES, repeat(() => ask(base, "/", "GET", {})));
      for (const [name, value] of Object.entries({facade, broker, client, broker_direct: brokerDirect, bare})) rounds[name].push(value);
    }
    direct.end();
    const ms = Object.fromEntries(Object.entries(rounds).map(([name, values]) => [name, middle(values)]));
    const row = (what, name) => console.log(`${what.padEnd(62)} ${ms[name].toFixed(3)} ms (${rounds[name].map((v) => v.toFixed(3)).join(" ")})`);
    console.log(`Processor time for one flag, ${bytes} bytes of answer, connection and session open:`);
    row("  by FHIR: cpis-fhir", "facade");
    row("  by FHIR: cpis-broker", "broker");
    row("  by libcpis alone: the client", "client");
    row("  by libcpis alone: cpis-broker", "broker_direct");
    row("  a bare answer of the same size by cpis-fhir's server", "bare");
    const by = ms.facade + ms.broker - ms.bare, alone = ms.client + ms.broker_direct;
    console.log(`Without TLS and HTTP a query by FHIR is ${by.toFixed(3)} ms, by libcpis ${alone.toFixed(3)} ms: the facade adds ${(100 * (by / alone - 1)).toFixed(0)} %.`);
    console.log(`The facade by itself is ${(ms.facade / ms.bare).toFixed(1)} times the bare answer.`);
  } finally {
    await world.stop();
  }
}

main().catch((error) => { console.log(error.stack); process.exitCode = 1; });
