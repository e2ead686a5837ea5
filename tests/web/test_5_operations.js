// How the service runs, as its operators see it.
"use strict";
const assert = require("node:assert/strict");
const {checkHeaders} = require("./browser.js");

module.exports = async ({browsers, test}) => {
  await test("operators see traffic, times, what waits, certificates and the log", async () => {
    const page = await browsers.signIn("operator");
    assert.equal(new URL(page.url()).pathname, "/operations");
    checkHeaders((await page.reload()).headers(), "operations");
    const text = await page.textContent("main");
    for (const part of ["broker-1", "sqlite", "Requests by second", "Last minute", "What waits to be read", "The broker's own, until", "Revocation lists, until",
      "no witnesses are wanted", "Let in"]) assert.ok(text.includes(part), `${part} in ${text}`);
    await page.reload();
    assert.ok(await page.locator(".cpis-chart__bar").count() > 0, "bars");
    assert.doesNotMatch(await page.textContent("main"), /\b0 requests in/);
    await browsers.look(page, "operations");
    await page.context().close();
  });

  await test("the figures come again by themselves, and do not keep the lock away", async () => {
    const page = await browsers.signIn("operator");
    await page.waitForFunction(() => Number(document.getElementById("live").dataset.told) >= 2, undefined, {timeout: 20000});
    const before = await page.locator("dt:has-text('Records') + dd").textContent();
    await page.waitForFunction((then) => [...document.querySelectorAll("dt")].find((d) => d.textContent === "Records").nextElementSibling.textContent !== then, before,
      {timeout: 20000});
    assert.deepEqual(page.faults, []);
    await page.click("text=Stop refreshing");
    const told = await page.getAttribute("#live", "data-told");
    await page.click("text=Refresh every two seconds");
    await page.waitForFunction((then) => Number(document.getElementById("live").dataset.told) > then, Number(told), {timeout: 20000});
    const [type, text] = await page.evaluate(async () => {
      const answer = await fetch("/operations/events");
      return [answer.headers.get("content-type"), await answer.text()];
    });
    assert.match(type, /^text\/event-stream/);
    assert.match(text, /^retry: \d+\ndata: [\s\S]*\n\n$/);
    await page.context().close();
  });

  await test("without scripts the page is there too, and by keyboard", async () => {
    const page = await browsers.signInByCertificate("operator");
    await page.focus("text=Operations");
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
    assert.equal(await page.textContent("h1"), "How the service runs");
  });

  await test("nobody else sees how the service runs", async () => {
    for (const name of ["nurse", "worker", "officer"]) {
      const page = await browsers.signIn(name);
      for (const path of ["/operations", "/operations/events"]) {
        await page.goto(page.origin + path);
        assert.match(await page.textContent("main"), /organisation_type|role_lacks_activity/, `${name} ${path}`);
      }
      await page.context().close();
    }
  });
};
