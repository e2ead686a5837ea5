// Looking a child up, as a nurse at three in the morning would.
"use strict";
const assert = require("node:assert/strict");
const {checkHeaders} = require("./browser.js");
const {children, day} = require("./world.js");

module.exports = async ({world, browsers, test}) => {
  world.write("plans.csv", "nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n" +
    `${children.known},CPP,${day(-14)},,,LCS-1,EXAMPLE,ALEX,${day(-72)}\n` +
    `${children.looked_after},LAC,${day(-30)},,,LCS-2,EXAMPLE,BETH,${day(-73)}\n` +
    `${children.second},CPP,${day(-5)},,,<b>LCS-3,<script>alert(1)</script>,CARL,${day(-74)}\n`);
  world.cpis("worker", ["contacts", "set", "--emergency-duty", "0113 496 0000", "--office-hours", "0113 496 0100"]);
  world.cpis("worker", ["publish", "--full", "plans.csv"], {codes: [5]});

  const born = (months) => day(months).split("-").map(Number);
  // With the keyboard alone, from the first field on.
  const type = async (page, number, months = -72, place = "e") => {
    const [year, month, date] = born(months);
    await page.focus("#nhs_number");
    for (const text of [number, String(date), String(month), String(year)]) {
      await page.keyboard.type(text);
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press(place); // the first letter of the emergency department, or of another place
    await page.keyboard.press("Tab");
    await page.keyboard.type("fell off a swing");
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  };

  await test("the answer comes in words first, then whom to ring, by the keyboard alone", async () => {
    const page = await browsers.signIn("nurse");
    await browsers.look(page, "lookup");
    const answered = page.waitForResponse((r) => r.request().method() === "POST" && new URL(r.url()).pathname === "/lookup");
    await type(page, "999 000 0018");
    checkHeaders((await answered).headers(), "answer");
    assert.equal(await page.textContent("h1"), "This child has a child protection plan");
    const text = await page.textContent("main");
    for (const part of ["999 000 0018", "Leeds City Council", "0113 496 0000", "0113 496 0100", "Nobody looked before you", "Social care has been told",
      "Recorded as number"]) assert.ok(text.includes(part), part);
    assert.match(await page.getAttribute("a[href^='tel:']", "href"), /^tel:01134960[01]00$/);
    assert.ok(!page.url().includes("999"));
    await browsers.look(page, "answer-known");
    await page.emulateMedia({media: "print"});
    assert.ok(await page.isVisible("text=Spoken to") && !await page.isVisible("header"));
    await page.screenshot({path: `${world.file("print.png")}`, fullPage: true});
    await page.emulateMedia({media: "screen"});
    await page.context().close();
  });

  await test("a date of birth that is not the child's is said to be another", async () => {
    const page = await browsers.signIn("nurse");
    await type(page, children.known, -80);
    assert.match(await page.textContent(".nhsuk-warning-callout"), /Is this the right child\?/);
    await browsers.look(page, "answer-other-birth-date");
    await page.goto(`${page.origin}/lookup`);
    await type(page, children.known, -72);
    assert.equal(await page.locator(".nhsuk-warning-callout").count(), 0);
    await page.context().close();
  });

  await test("the next who looks sees who looked before", async () => {
    const page = await browsers.signIn("nurse");
    await type(page, children.known);
    assert.match(await page.textContent(".cpis-timeline"), /University Hospitals Sussex, emergency department:\s+Grace Okafor, Nurse Access/);
    await page.context().close();
  });

  await test("a no says that it is no proof of safety", async () => {
    const page = await browsers.signIn("nurse");
    await type(page, children.unknown);
    assert.equal(await page.textContent("h1"), "No plan is known here. That does not mean no concern.");
    await browsers.look(page, "answer-none");
    await page.context().close();
  });

  await test("the check digit is told while typing, and by the gateway without scripts", async () => {
    const page = await browsers.signIn("nurse");
    await page.focus("#nhs_number");
    await page.keyboard.type("999 000 001");
    assert.equal(await page.textContent("#nhs_number-told"), "1 more digit");
    await page.keyboard.type("9");
    assert.match(await page.textContent("#nhs_number-told"), /check digit is wrong/);
    await page.keyboard.press("Backspace");
    await page.keyboard.type("8");
    assert.match(await page.textContent("#nhs_number-told"), /check digit is right/);
    await page.fill("#nhs_number", "999 000 0019");
    await page.click("button:has-text('Look up')");
    assert.match(await page.textContent(".nhsuk-error-summary"), /check digit is wrong[\s\S]*Enter the date of birth/);
    assert.equal(await page.inputValue("#nhs_number"), "999 000 0019");
    await browsers.look(page, "lookup-problems");
    await page.context().close();
  });

  await test("without scripts the same, with a certificate", async () => {
    const page = await browsers.signInByCertificate("nurse");
    await type(page, children.looked_after, -73);
    assert.equal(await page.textContent("h1"), "This child is looked after by social care");
    await page.context().close();
  });

  await test("who lacks the right is refused in words and offered no way around", async () => {
    const page = await browsers.signIn("receptionist");
    await page.goto(`${page.origin}/lookup`);
    await type(page, children.known);
    assert.equal(await page.textContent("h1"), "The service did not open this");
    assert.equal(await page.locator("form[action$='/lookup/break-glass']").count(), 0);
    await browsers.look(page, "answer-refused");
    await page.context().close();
  });

  for (const how of ["passkey", "certificate"]) await test(`the glass is broken deliberately, with a fresh proof by ${how}`, async () => {
    const page = how === "passkey" ? await browsers.signIn("consultant") : await browsers.signInByCertificate("consultant");
    await type(page, children.known, -72, "p");
    assert.equal(await page.textContent("h1"), "The service did not open this");
    if (how === "passkey") await browsers.look(page, "answer-break-glass");
    await page.fill("form[action$='/lookup/break-glass'] #reason", "unconscious child, nobody else here");
    await page.click("text=Go on to breaking the glass");
    assert.equal(await page.textContent("h1"), "Break the glass");
    await browsers.look(page, `confirm-${how}`);
    await Promise.all([page.waitForNavigation({url: /\/act$/}), page.click("text=Break the glass and open the details")]);
    assert.equal(await page.textContent("h1"), "This child has a child protection plan");
    await page.context().close();
  });
};
