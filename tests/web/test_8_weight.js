// What the look-up's pages weigh over the wire, and what the gateway adds to the broker's time. Both are printed; the weight is a bound.
"use strict";
const assert = require("node:assert/strict");
const {children} = require("./world.js");

const BYTES_MAX = 50 * 1024;
const LOOKS = 25;

module.exports = async ({world, browsers, test}) => {
  await test("a look-up's page is complete in under 50 KB, with nothing kept from before", async () => {
    const page = await browsers.signIn("nurse");
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Network.enable");
    await cdp.send("Network.setCacheDisabled", {cacheDisabled: true});
    let bytes = 0;
    cdp.on("Network.loadingFinished", (event) => { bytes += event.encodedDataLength; });
    await page.goto(`${page.origin}/lookup`, {waitUntil: "networkidle"});
    const form = bytes;
    await page.fill("#nhs_number", children.known);
    for (const [name, text] of [["day", "1"], ["month", "2"], ["year", "2020"]]) await page.fill(`#birth_${name}`, text);
    bytes = 0;
    await page.click("button:has-text('Look up')");
    await page.waitForLoadState("networkidle");
    console.log(`look-up form ${form} bytes, answer ${bytes} bytes over the wire, style and script included`);
    assert.ok(form > 0 && form < BYTES_MAX && bytes > 0 && bytes < BYTES_MAX, `${form}, ${bytes}`);
    await page.context().close();
  });

  await test("what the gateway adds to the broker's answers is said by each answer", async () => {
    const page = await browsers.signIn("nurse");
    const added = [], total = [];
    for (let i = 0; i < LOOKS; i++) {
      await page.goto(`${page.origin}/lookup`);
      await page.fill("#nhs_number", children.known);
      for (const [name, text] of [["day", "1"], ["month", "2"], ["year", "2020"]]) await page.fill(`#birth_${name}`, text);
      const [response] = await Promise.all([page.waitForResponse((r) => r.request().method() === "POST"), page.click("button:has-text('Look up')")]);
      const timing = response.headers()["server-timing"].match(/broker;dur=([\d.]+), total;dur=([\d.]+)/);
      added.push(Number(timing[2]) - Number(timing[1]));
      total.push(Number(timing[2]));
    }
    const at = (list, share) => [...list].sort((a, b) => a - b)[Math.floor(list.length * share)].toFixed(2);
    console.log(`${LOOKS} look-ups: the gateway adds ${at(added, 0.5)} ms (median), ${at(added, 0.95)} ms (95 in 100) to the broker's answers; in all ${at(total, 0.5)} ms`);
    assert.ok(added.every((ms) => ms >= 0));
    await page.context().close();
  });
};
