// Audit review: findings followed up as cases, who looked as a timeline, records with their proof, a month's report.
"use strict";
const assert = require("node:assert/strict");
const {checkHeaders} = require("./browser.js");
const {children, people} = require("./world.js");

module.exports = async ({world, browsers, test}) => {
  const open = async (page, text) => {
    await page.goto(`${page.origin}/audit`);
    await page.locator("tr", {hasText: text}).locator("a").first().click();
  };

  await test("a broken glass is a case, which is noted on, decided with a fresh proof, and closed", async () => {
    const page = await browsers.signIn("officer");
    assert.equal(new URL(page.url()).pathname, "/audit");
    checkHeaders((await page.reload()).headers(), "cases");
    await browsers.look(page, "cases");
    await open(page, "The glass was broken");
    await page.fill("#note", "short");
    await page.click("text=Add the note");
    assert.match(await page.textContent(".nhsuk-error-summary"), /at least 10 characters/);
    await browsers.look(page, "case-problem");
    await page.fill("#note", "Rang the ward: <b>she was on duty</b>");
    await page.click("text=Add the note");
    await page.fill("#assign", people.officer.uid);
    await page.click("text=Give it");
    assert.ok((await page.textContent(".cpis-timeline")).includes("Rang the ward: <b>she was on duty</b>"));
    await browsers.look(page, "case");
    await page.check("#finding-APPROPRIATE");
    await page.selectOption("#keep_open", "yes");
    await page.fill("#outcome", "short");
    await page.click("text=Give the outcome");
    assert.match(await page.textContent(".nhsuk-error-summary"), /at least 10 characters/);
    assert.ok(await page.isChecked("#finding-APPROPRIATE"), "what was chosen is still chosen");
    assert.equal(await page.inputValue("#keep_open"), "yes");
    await page.fill("#outcome", "There was no time to lose");
    await page.click("text=Give the outcome");
    await browsers.look(page, "confirm-outcome");
    await Promise.all([page.waitForURL("**/audit/case?id=*"), page.click("#passkey")]);
    assert.match(await page.textContent("main"), /Appropriate: they had to look[\s\S]*There was no time to lose/);
    await page.fill("#close", "Told her manager, who thanked her");
    await page.click("text=Close the case");
    await Promise.all([page.waitForURL("**/audit/case?id=*"), page.click("#passkey")]);
    assert.match(await page.textContent("main"), /Closed/);
    await page.context().close();
  });

  await test("the same by keyboard, with a certificate and without scripts", async () => {
    const page = await browsers.signInByCertificate("officer");
    await open(page, "The glass was broken");
    await page.focus("#finding-BREACH");
    await page.keyboard.press("Space");
    await page.focus("#outcome");
    await page.keyboard.type("Nobody knew of this child there");
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
    await page.focus("button.nhsuk-button--warning");
    await Promise.all([page.waitForURL("**/audit/case?id=*"), page.keyboard.press("Enter")]);
    assert.match(await page.textContent("main"), /Breach: they had no business to look/);
  });

  await test("who looked at a child is a chart and a table, and the number is in no address", async () => {
    const page = await browsers.signIn("officer");
    await page.goto(`${page.origin}/audit/search`);
    await browsers.look(page, "looks-form");
    await page.click("button:has-text('Show')");
    assert.match(await page.textContent(".nhsuk-error-summary"), /Enter a person's staff number/);
    await page.fill("#nhs_number", children.known);
    await page.click("button:has-text('Show')");
    const rows = await page.locator("tbody tr").count(), marks = await page.locator(".cpis-chart circle, .cpis-chart path[class^='cpis-chart__r'], .cpis-chart path[class^='cpis-chart__g']").count();
    assert.ok(rows > 3, `${rows}`);
    assert.equal(marks, rows);
    assert.match(await page.textContent("tbody"), /Grace Okafor, Nurse Access/);
    await browsers.look(page, "looks-child");
    await page.fill("#nhs_number", "");
    await page.fill("#uid", people.nurse.uid);
    await page.click("button:has-text('Show')");
    assert.match(await page.textContent("tbody"), /opened the child's details[\s\S]*999 000 0018/);
    await browsers.look(page, "looks-person");
    await page.locator("tbody tr", {hasText: "opened the child's details"}).locator("a").first().click();
    assert.match(await page.textContent("main"), /This record is in the log as it was written, and has not been changed since/);
    assert.match(await page.textContent("main"), /Grace Okafor \(555000000001\)/);
    await browsers.look(page, "record");
    await page.context().close();
  });

  await test("what is no number, day or month is said to be none", async () => {
    const page = await browsers.signIn("officer");
    await page.goto(`${page.origin}/audit/search`);
    for (const [field, text, words] of [["uid", "12", /12 digits/], ["nhs_number", "9990000019", /check digit/], ["from", "2026-02-30", /days that exist/]]) {
      await page.goto(`${page.origin}/audit/search`);
      await page.fill("#uid", people.nurse.uid);
      await page.fill(`#${field}`, text);
      await page.click("button:has-text('Show')");
      assert.match(await page.textContent(".nhsuk-error-summary"), words, field);
    }
    const response = await page.goto(`${page.origin}/audit/report?month=2026-13`);
    assert.equal(response.status(), 400);
    await page.context().close();
  });

  await test("a month's report counts, and prints", async () => {
    const page = await browsers.signIn("officer");
    await page.goto(`${page.origin}/audit/report`);
    assert.match(await page.textContent("dl"), /The glass was broken\s*2/);
    assert.match(await page.textContent("dl"), /Outcomes given\s*1 appropriate, 0 near misses, 1 breaches/);
    assert.ok(Number(await page.locator("tr", {hasText: "Grace Okafor"}).locator("td").nth(1).textContent()) > 1, "children that she asked about");
    await browsers.look(page, "report");
    await page.emulateMedia({media: "print"});
    assert.ok(!await page.isVisible("header") && !await page.isVisible("form") && await page.isVisible("text=Who looked at most children"));
    await page.context().close();
  });

  await test("who may not review is refused by the broker", async () => {
    const page = await browsers.signIn("nurse");
    for (const path of ["/audit", "/audit/search", "/audit/record?no=1", "/audit/report", "/audit/case?id=1"]) {
      await page.goto(page.origin + path);
      if (path === "/audit/search") continue; // the form asks nothing yet
      assert.match(await page.textContent("main"), /role_lacks_activity/, path);
    }
    await browsers.look(page, "refused");
    await page.context().close();
  });
};
