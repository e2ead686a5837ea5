// A log that was replaced by an older one. In a world of its own, which is of no use afterwards; its gateways have one worker each, so
// that who asked before is who asks again.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const {makeWorld, children} = require("./world.js");
const {Browsers} = require("./browser.js");

async function end(child) {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

async function look(page) {
  await page.goto(`${page.origin}/lookup`);
  await page.fill("#nhs_number", children.unknown);
  for (const [name, text] of [["day", "1"], ["month", "2"], ["year", "2020"]]) await page.fill(`#birth_${name}`, text);
  const [response] = await Promise.all([page.waitForResponse((r) => r.request().method() === "POST"), page.click("button:has-text('Look up')")]);
  return response.status();
}

module.exports = async ({test}) => {
  await test("an answer out of a log that lacks what was in it before is not shown, and nobody is answered any more", async () => {
    const world = await makeWorld(1);
    const browsers = new Browsers(world);
    const stores = () => fs.readdirSync(world.folder).filter((name) => name.startsWith("store.db"));
    const restart = async (between) => {
      await end(world.broker);
      between();
      await world.continueBroker();
    };
    try {
      world.write("broker.yaml", fs.readFileSync(world.file("broker.yaml"), "utf8").replace(/^endpoint: .*$/m, `endpoint: ${world.endpoint}`));
      const page = await browsers.signIn("nurse");
      await restart(() => stores().forEach((name) => fs.copyFileSync(world.file(name), world.file(`old-${name}`))));
      assert.equal(await look(page), 200);
      await restart(() => {
        stores().forEach((name) => fs.rmSync(world.file(name)));
        fs.readdirSync(world.folder).filter((name) => name.startsWith("old-")).forEach((name) => fs.renameSync(world.file(name), world.file(name.slice(4))));
      });
      // So that it is not shorter than what the gateway knows of, but another.
      for (let i = 0; i < 4; i++) world.cpis("nurse", ["query", children.unknown]);
      assert.equal(await look(page), 503);
      assert.match(await page.textContent("main"), /This answer cannot be trusted[\s\S]*not proven to be in the audit log/);
      for (const path of ["/lookup", "/sign-in"]) {
        assert.equal((await page.goto(page.origin + path)).status(), 503);
        assert.match(await page.textContent("main"), /The audit log cannot be trusted[\s\S]*Nothing is answered until its operators have found out why/);
      }
      assert.match(fs.readFileSync(world.file("gateway-hospital.log"), "utf8"), /broker_call_failed: .*not a continuation of the one that was/);
      await page.context().close();
    } finally {
      await browsers.close();
      await world.stop();
    }
  });
};
