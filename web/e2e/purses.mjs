// The screens of purses in a real browser against the real program, with purses that really paid each other: one balance in three
// parts, a purse's payments, a double spend whose proof is downloaded and checked in the browser, and a purse reported lost.
//   node e2e/purses.mjs PROGRAM [--pictures FOLDER]          exit 77: skipped, no Chromium
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";

import { checkAccessibility, startBoth } from "./browser.mjs";
import { copyOf, Server, transfer } from "./issuer.mjs";

const [program, option, pictures] = process.argv.slice(2);
const { browser, demo, run } = await startBoth(program);
const server = new Server(demo);
const shown = (amount) => `${String(Math.trunc(amount / 100)).replace(/\B(?=(\d{3})+$)/g, "\u202f")}.${String(amount % 100).padStart(2, "0")} CNY`;
await run("purses: balance in three parts, payments, a proof checked in the browser, a lost purse, both languages, accessibility: passed", async () => {
  const world = await payOffline();
  const context = await browser.newContext({ viewport: { width: 1360, height: 1000 }, locale: "en-GB", acceptDownloads: true });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error" && !/status of (402|404|409)/.test(message.text())) problems.push(message.text()); });
  await page.goto(`${demo.url}/#key=${demo.key}`);
  await page.getByText("live", { exact: true }).waitFor();

  await seeTheBalance(page, world);
  await seeThePurses(page, world);
  await checkTheProof(page, world);
  await reportLost(page, world);
  await inChinese(page, world);
  assert.deepEqual(problems, [], "errors in the browser's console");
});

async function payOffline() {
  const [group] = (await server.call("GET", "/v1/groups")).data;
  const annWallet = await server.wallet(group.id, "Ann's", 50_000);
  const bobWallet = await server.wallet(group.id, "Bob's", 0);
  const cheatWallet = await server.wallet(group.id, "Cheat's", 20_000);
  const ann = await server.device(annWallet, 10_000);
  const bob = await server.device(bobWallet, 0, 2);
  const eve = await server.device(bobWallet, 0, 3);
  const cheat = await server.device(cheatWallet, 1_000);
  transfer(ann, bob, 350n);
  await server.settle(bob);
  const copy = await copyOf(cheat);
  transfer(cheat, bob, 400n);
  transfer(copy, eve, 500n);
  await server.settle(eve);
  await server.settle(bob);
  transfer(ann, bob, 150n, { receipt: false });
  await server.settle(ann); // what it paid without a receipt waits for Bob's word
  await server.until(async () => (await server.call("GET", `/v1/purses/${cheat.number}`)).proven, "the proof");
  await server.deposit([new Uint8Array([0])]); // junk
  return { annWallet, bobWallet, ann, bob, eve, cheat };
}

async function seeTheBalance(page, { annWallet }) {
  const wallet = await server.call("GET", `/v1/wallets/${annWallet}`);
  const [online, inPurses, onTheWay] = [wallet.total, wallet.in_purses, wallet.on_the_way].map(Number);
  assert.ok(inPurses > 0);
  const line = page.locator(`[data-wallet="${annWallet}"]`);
  await line.getByText(shown(online + inPurses + onTheWay), { exact: true }).waitFor();
  await line.getByRole("img", { name: `online ${shown(online)}, in purses ${shown(inPurses)}, on the way ${shown(onTheWay)}` }).waitFor();
  await page.getByText("Offline payment").first().waitFor();
  await checkAccessibility(page, "wallets");
  if (pictures) await page.screenshot({ path: join(pictures, "wallets.png") });
}

async function seeThePurses(page, { ann, bob, eve, cheat }) {
  await page.getByRole("link", { name: "Purses", exact: true }).click();
  for (const { number } of [ann, bob, eve, cheat]) await page.getByRole("link", { name: `Purse ${number}`, exact: true }).waitFor();
  await page.getByText("double spend proven").waitFor();
  assert.equal(new URL(page.url()).pathname, "/purses");
  await checkAccessibility(page, "purses");
  if (pictures) await page.screenshot({ path: join(pictures, "purses.png") });

  await page.getByRole("link", { name: `Purse ${ann.number}`, exact: true }).click();
  await page.getByText("It pays and receives; nothing is known against it.").waitFor();
  await page.getByText(`paid to purse ${bob.number}`).first().waitFor();
  await page.getByText("final", { exact: true }).first().waitFor();
  await page.getByText("waits for the payee's word", { exact: true }).waitFor();
  await page.locator("dl.facts").getByText("1.50 CNY").waitFor(); // pending
  await page.reload(); // a purse's page can be opened by its address
  await page.getByText("loaded 100.00 CNY").waitFor();
  await checkAccessibility(page, "a purse");
  if (pictures) await page.screenshot({ path: join(pictures, "purse.png") });
}

async function checkTheProof(page, { cheat }) {
  await page.getByRole("link", { name: "Proofs and lists" }).click();
  await page.getByText("not a note: cannot be read").waitFor();
  await page.getByText("fresh", { exact: true }).waitFor();
  const waiting = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  const file = await (await waiting).path();

  // The file is good on another machine: the command line, and no server.
  const keysText = await page.getByLabel("The issuer's key").inputValue();
  const issuers = keysText.trim().split("\n").flatMap((key) => ["--issuer", key]);
  assert.equal(JSON.parse(execFileSync(program, ["purse", "verify-proof", file, ...issuers, "--json"], { encoding: "utf8" })).purse, cheat.number);

  // And here. The page itself may compile nothing; its worker may.
  const compiles = await page.evaluate(() => WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => true, () => false));
  assert.equal(compiles, false, "the page may compile WebAssembly");
  await page.setInputFiles("input[type=file]", file);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await page.getByText(`It is true: purse ${cheat.number} signed both notes.`).waitFor();
  await page.locator("svg.fork").waitFor();
  await checkAccessibility(page, "proofs");
  if (pictures) await page.screenshot({ path: join(pictures, "proof.png"), fullPage: true });

  await page.getByLabel("The issuer's key").fill(`ed25519:${"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"}`);
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await page.getByText("the certificate in it is not by this issuer's key").waitFor();
  await page.getByLabel("The issuer's key").fill("nonsense");
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await page.getByText("No key: nonsense").waitFor();
}

async function reportLost(page, { ann }) {
  await page.goto(`${demo.url}/purses/${ann.number}`);
  await page.getByRole("button", { name: "Report as lost" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("This is for good.").waitFor();
  await checkAccessibility(page, "reporting a loss");
  if (pictures) await page.screenshot({ path: join(pictures, "lost.png") });
  const button = dialog.getByRole("button", { name: "Report as lost" });
  assert.equal(await button.isDisabled(), true, "the button works before the consequences are agreed to");
  await dialog.getByRole("checkbox").check();
  await button.click();
  await page.getByText("It was reported lost and is on the blacklist for good.").waitFor();
  assert.equal((await server.call("GET", `/v1/purses/${ann.number}`)).state, "lost");
}

async function inChinese(page, { cheat }) {
  await page.getByRole("button", { name: "中文" }).click();
  for (const [path, text] of [["/", "钱包"], ["/purses", "钱袋"], [`/purses/${cheat.number}`, "离线付款"], ["/trust", "隔离区"]]) {
    await page.goto(demo.url + path);
    await page.getByRole("heading", { name: text, exact: true }).first().waitFor();
    await checkAccessibility(page, `${path} in Chinese`);
  }
  if (pictures) await page.screenshot({ path: join(pictures, "trust.zh-CN.png"), fullPage: true });
}
