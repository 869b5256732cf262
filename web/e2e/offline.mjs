// Two browsers, each with a purse of its own, pay each other while the network is cut: the codes that one shows are photographed and read by
// the other. One is closed before it has the receipt, and asks afterwards. Then the network is back, both sync, and the balances are right.
//   node e2e/offline.mjs PROGRAM [--pictures FOLDER]          exit 77: skipped, no Chromium
import assert from "node:assert/strict";
import { join } from "node:path";

import { checkAccessibility, startBoth } from "./browser.mjs";
import { Server } from "./issuer.mjs";

const [program, option, pictures] = process.argv.slice(2);
const { browser, demo, run } = await startBoth(program);
const server = new Server(demo);
const problems = [];
await run("offline: two browsers paid each other with no network, one asked after a crash, both synced, balances right: passed", async () => {
  const [group] = (await server.call("GET", "/v1/groups")).data;
  const wallets = { ann: await server.wallet(group.id, "Ann's", 10_000), bob: await server.wallet(group.id, "Bob's", 0) };
  const ann = await person("Ann's", "20");
  const bob = await person("Bob's", "");

  await cutTheNetwork(ann, bob);
  await transfer(ann, bob, "3.50");
  await has(ann, "16.50");
  await has(bob, "3.50");
  await transfer(bob, ann, "1.00"); // what was received a moment ago
  await has(ann, "17.50");
  await has(bob, "2.50");
  await syncFails(ann);

  await closedBeforeTheReceipt(ann, bob);
  // What has changed hands three times can be settled only: the limit of class A0.
  await has(bob, "2.50");
  await bob.page.locator("dl.facts").getByText("5.50 CNY").waitFor();

  await network(true, ann, bob);
  for (const { page } of [bob, ann]) {
    await page.getByRole("button", { name: "Sync", exact: true }).click();
    await page.getByText(/Synced: \d+ handed in/).waitFor();
  }
  // Ann: 100 less 20 in the purse and 10 of collateral; Bob's 4.50 less the 1.00 that he paid from what he had received.
  await server.until(async () => (await total(wallets.bob)) === 350 + 200 - 100, "Bob's money is in his wallet");
  const { total: online, in_purses: inPurses, on_the_way: onTheWay } = await server.call("GET", `/v1/wallets/${wallets.ann}`);
  const collateral = (await server.call("GET", `/v1/purses?wallet=${wallets.ann}`)).data[0].collateral;
  assert.equal(Number(online) + Number(inPurses) + Number(onTheWay) + Number(collateral), 10_000 - 350 - 200 + 100);
  await ann.page.getByText("settled", { exact: true }).first().waitFor();

  await theKeyStays(ann);
  await onlyOnePageAtATime(ann);
  await inChinese(ann);
  await removed(bob, ann);
  assert.deepEqual(problems, [], "errors in the browser's console");
});

async function total(wallet) {
  return Number((await server.call("GET", `/v1/wallets/${wallet}`)).total);
}

/** A browser with a purse: `amount` of the wallet set aside, or none. */
async function person(wallet, amount) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 1100 }, locale: "en-GB" });
  const page = await watched(await context.newPage());
  await page.goto(`${demo.url}/offline#key=${demo.key}`);
  await page.getByText("live", { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => globalThis.crossOriginIsolated), true);
  await page.getByRole("heading", { name: "Make a purse in this browser" }).waitFor();
  await checkAccessibility(page, "a new purse");
  await page.getByLabel("Wallet", { exact: true }).first().click();
  await page.locator(".ant-select-dropdown").getByText(wallet, { exact: true }).click();
  await page.getByLabel("Amount").fill(amount);
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByText("It pays and receives, network or not.").waitFor({ timeout: 30_000 });
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true)); // the page's files are kept
  return { context, page };
}

async function watched(page) {
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error" && !/status of 40[049]|ERR_INTERNET_DISCONNECTED/.test(message.text())) problems.push(message.text()); });
  return page;
}

async function network(on, ...people) {
  for (const { context } of people) await context.setOffline(!on);
}
async function cutTheNetwork(...people) {
  await network(false, ...people);
  for (const { page } of people) assert.equal(await page.evaluate(() => fetch("/healthz").then(() => true, () => false)), false, "there is a network");
}

async function has({ page }, amount) {
  await page.locator(".legend li", { hasText: "can be spent" }).getByText(`${amount} CNY`).waitFor();
}

/** Photographs of all codes of the message that is shown. */
async function codesOf(page) {
  const figure = page.locator("figure[data-part]");
  await figure.waitFor();
  const count = Number(await figure.getAttribute("data-parts"));
  if (count > 1) await page.getByRole("button", { name: "Stand still" }).click();
  const photographs = new Map();
  while (photographs.size < count) {
    photographs.set(await figure.getAttribute("data-part"), await figure.screenshot());
    if (count > 1) await page.getByRole("button", { name: "Next code" }).click();
  }
  return [...photographs.values()].reverse(); // in any order
}
async function readInto(page, photographs) {
  await page.getByTestId("pictures").setInputFiles(photographs.map((buffer, i) => ({ name: `${i}.png`, mimeType: "image/png", buffer })));
}

async function request({ page }, amount) {
  await page.getByRole("button", { name: "Receive", exact: true }).first().click();
  await page.getByLabel("Amount", { exact: true }).last().fill(amount);
  await page.getByRole("button", { name: "Receive", exact: true }).last().click();
  await page.getByText("Show this to whoever pays").waitFor();
  return codesOf(page);
}
async function pay({ page }, codes, amount) {
  await page.getByRole("button", { name: "Pay", exact: true }).click();
  await readInto(page, codes);
  await page.getByRole("button", { name: `Pay ${amount} CNY` }).click();
  await page.getByText("Until then nobody knows").waitFor();
  return codesOf(page);
}
async function accept({ page }, codes, amount) {
  await readInto(page, codes);
  await page.getByText(`${amount} CNY accepted`).waitFor();
  return codesOf(page);
}
async function receipt({ page }, codes) {
  await readInto(page, codes);
  await page.getByText("Paid: the receipt is here.").waitFor();
}

async function transfer(payer, payee, amount) {
  const asked = await request(payee, amount);
  const paid = await pay(payer, asked, amount);
  await checkAccessibility(payer.page, "paying");
  if (pictures) await payer.page.screenshot({ path: join(pictures, "offline-pay.png") });
  await receipt(payer, await accept(payee, paid, amount));
  for (const { page } of [payer, payee]) await page.getByRole("button", { name: "Done", exact: true }).click();
}

async function syncFails({ page }) {
  await page.getByRole("button", { name: "Sync", exact: true }).click();
  await page.getByText("This needs the program; it does not answer now.").waitFor();
}

/** The payer's page is gone after it showed the payment, and is opened again with no network: what was written down is all there is. */
async function closedBeforeTheReceipt(payer, payee) {
  const paid = await pay(payer, await request(payee, "2.00"), "2.00");
  await payer.page.close();
  await accept(payee, paid, "2.00"); // and its receipt is read by nobody
  await payee.page.getByRole("button", { name: "Done", exact: true }).click();

  payer.page = await watched(await payer.context.newPage());
  await payer.page.goto(`${demo.url}/offline#key=${demo.key}`);
  await payer.page.locator(".legend li", { hasText: "sent, not known" }).getByText("2.00 CNY").waitFor();
  await payer.page.getByRole("button", { name: "Ask what became of it" }).click();
  const asking = await codesOf(payer.page);
  await payee.page.getByRole("button", { name: "Receive", exact: true }).first().click();
  await payee.page.getByRole("button", { name: "Answer a question" }).click();
  await readInto(payee.page, asking);
  await payee.page.getByText("Show this to whoever asked.").waitFor();
  await receipt(payer, await codesOf(payee.page));
  for (const { page } of [payer, payee]) await page.getByRole("button", { name: "Done", exact: true }).click();
}

async function theKeyStays({ page }) {
  const outcome = await page.evaluate(async () => {
    const database = await new Promise((done) => { const asked = indexedDB.open("jiaozi"); asked.onsuccess = () => done(asked.result); });
    const { keys } = await new Promise((done) => { const asked = database.transaction("purse").objectStore("purse").get("it"); asked.onsuccess = () => done(asked.result); });
    database.close();
    const tries = await Promise.all(["pkcs8", "jwk"].map((format) => crypto.subtle.exportKey(format, keys.privateKey).then(() => "out", (error) => error.name)));
    return [keys.privateKey.extractable, ...tries];
  });
  assert.deepEqual(outcome, [false, "InvalidAccessError", "InvalidAccessError"]);
}

async function onlyOnePageAtATime({ context }) {
  const second = await watched(await context.newPage());
  await second.goto(`${demo.url}/offline#key=${demo.key}`);
  await second.getByText("This purse is open in another tab or window.").waitFor({ timeout: 20_000 });
  await second.close();
}

/** Bob's is empty after his sync and goes at once; Ann's holds money, and goes only when its number is typed. Neither is there after a reload, and a new one can be made. */
async function removed(bob, ann) {
  await bob.page.getByRole("button", { name: "Remove this purse from this browser" }).click();
  await bob.page.getByText("Nothing is in it and nothing waits to be settled.").waitFor();
  await bob.page.getByRole("button", { name: "Remove it", exact: true }).click();
  await bob.page.getByRole("heading", { name: "Make a purse in this browser" }).waitFor();
  await bob.page.reload();
  await bob.page.getByRole("heading", { name: "Make a purse in this browser" }).waitFor();
  await bob.page.getByLabel("Wallet", { exact: true }).first().click();
  await bob.page.locator(".ant-select-dropdown").getByText("Bob's", { exact: true }).click();
  await bob.page.getByRole("button", { name: "Make it" }).click();
  await bob.page.getByText("It pays and receives, network or not.").waitFor({ timeout: 30_000 });

  await ann.page.getByRole("button", { name: "从本浏览器移除此钱袋" }).click();
  await ann.page.getByText("它的资金尚未全部进入钱包").waitFor();
  await ann.page.getByText("请先付给自己的另一个钱袋").waitFor();
  await checkAccessibility(ann.page, "removing a purse that holds money");
  const remove = ann.page.getByRole("button", { name: /^移\s*除$/ });
  assert.equal(await remove.isDisabled(), true, "it holds money");
  const number = (await ann.page.getByRole("heading", { name: /本浏览器的钱袋/ }).textContent()).match(/\d+/)[0];
  await ann.page.getByLabel("钱袋编号").fill(`${number}0`);
  assert.equal(await remove.isDisabled(), true, "another number");
  await ann.page.getByLabel("钱袋编号").fill(number);
  await remove.click();
  await ann.page.getByRole("heading", { name: "在本浏览器中新建钱袋" }).waitFor();
}

async function inChinese({ page }) {
  await page.getByRole("button", { name: "中文" }).click();
  await page.getByRole("heading", { name: /本浏览器的钱袋/ }).waitFor();
  await checkAccessibility(page, "the offline purse in Chinese");
  if (pictures) await page.screenshot({ path: join(pictures, "offline.zh-CN.png") });
}
