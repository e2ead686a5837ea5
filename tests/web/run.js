// Runs the files of tests, one after the other, in one world.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const {makeWorld} = require("./world.js");
const {Browsers} = require("./browser.js");

const TEST_MS = 60000;

function within(promise, sentence) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`${sentence}: nothing came of it in ${TEST_MS} ms`)), TEST_MS); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function main() {
  const files = process.argv.length > 2 ? process.argv.slice(2).map((f) => path.resolve(f))
    : fs.readdirSync(__dirname).filter((f) => /^test_.*\.js$/.test(f)).sort().map((f) => path.join(__dirname, f));
  const world = await makeWorld();
  const browsers = new Browsers(world);
  let passed = 0, failed = 0;
  const test = async (sentence, run) => {
    const began = Date.now();
    try {
      await within(run(), sentence);
      passed++;
      if (process.env.TIMES) console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${sentence}`);
    } catch (error) {
      failed++;
      console.log(`FAILED ${sentence}\n${error.stack}`);
    }
  };
  try {
    for (const file of files) {
      await require(file)({world, browsers, test});
      await browsers.rest();
    }
    for (const [name, gateway] of Object.entries(world.gateways)) {
      if (gateway.process.exitCode !== null) { failed++; console.log(`FAILED the gateway of ${name} ended by itself`); }
    }
  } finally {
    await browsers.close();
    if (failed > 0) for (const log of fs.readdirSync(world.folder).filter((f) => f.endsWith(".log")))
      console.log(`---- ${log}\n${fs.readFileSync(world.file(log), "utf8")}`);
    await world.stop();
  }
  console.log(`${Math.floor(100 * passed / (passed + failed || 1))}%: Checks: ${passed + failed}, Failures: ${failed}, Errors: 0`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

main().catch((error) => { console.log(error.stack); process.exitCode = 1; });
