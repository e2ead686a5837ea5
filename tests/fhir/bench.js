// The processor time that cpis-fhir spends on a query, beside what a bare answer of the same size costs on the same server: measured as
// the time that all threads of each process have run (/proc/<pid>/task/*/schedstat), so that load elsewhere counts little. In turn, five
// times; the middle is printed. A figure to read, not a check.
"use strict";
const fs = require("node:fs");
const https = require("node:https");
const {makeFhirWorld, seen, children, tls} = require("./world.js");

const ROUNDS = 5, QUERIES = 400, NURSES = 40; // nobody asks more often than the policy allows

function ranMs(pid) {
  return fs.readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]), 0) / 1e6;
}

const agent = new https.Agent({keepAlive: true, maxSockets: 1});
function ask(base, path, method, headers, body) {
  return new Promise((resolve, reject) => {
    const request = https.request(base + path, {method, headers, agent, servername: "localhost"}, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part)).on("end", () => resolve({status: response.statusCode, bytes: Buffer.concat(parts).length}));
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function measure(pid, one) {
  await one(0); // the connection, and what is made once
  const before = ranMs(pid);
  for (let i = 0; i < QUERIES; i++) await one(i);
  return (ranMs(pid) - before) / QUERIES;
}

const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function main() {
  const world = await makeFhirWorld(NURSES);
  try {
    const tokens = world.nurses.map((nurse) => world.provider.token(nurse, "R8001"));
    const body = new URLSearchParams({"patient:identifier": `https://fhir.nhs.uk/Id/nhs-number|${children.known}`}).toString();
    const query = async (i) => {
      const answer = await ask(world.base, "/Flag/_search", "POST", {authorization: `Bearer ${tokens[i % NURSES]}`, "content-type": "application/x-www-form-urlencoded"}, body);
      if (answer.status !== 200) throw new Error(`query ${i}: ${answer.status}`);
      return answer;
    };
    for (let i = 0; i < NURSES; i++) await query(i); // sessions
    const {bytes} = await query(0);
    const plain = world.start("tests/fhir/plain", [`${tls}/fhir.pem`, `${tls}/fhir.key`, String(bytes)], "plain.log");
    const base = (await seen(world.file("plain.log"), /ready: (https:\S+)/, plain))[1];
    const bare = () => ask(base, "/", "GET", {});
    const facade = [], static_ = [];
    for (let i = 0; i < ROUNDS; i++) {
      facade.push(await measure(world.facade.pid, query));
      static_.push(await measure(plain.pid, bare));
    }
    const [a, b] = [middle(facade), middle(static_)];
    console.log(`a flag by FHIR, ${bytes} bytes of answer, connection and session open: ${a.toFixed(3)} ms of processor time in the facade (${facade.map((v) => v.toFixed(3)).join(" ")})`);
    console.log(`a bare answer of the same size by the same server:                  ${b.toFixed(3)} ms (${static_.map((v) => v.toFixed(3)).join(" ")})`);
    console.log(`ratio ${(a / b).toFixed(2)}: the facade adds ${(a - b).toFixed(3)} ms, in it the receipt's proof, the CURVE connection and the JSON`);
  } finally {
    await world.stop();
  }
}

main().catch((error) => { console.log(error.stack); process.exitCode = 1; });
