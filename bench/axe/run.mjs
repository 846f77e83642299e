// SPDX-License-Identifier: Apache-2.0
// Looks at the demo's page as people see it: axe-core on 1440 and 390 pixels, light and dark; no overflow at 320 pixels
// and at 200 % text; no word from the content policy; its main task by keyboard alone with scripts off.
//
//     node run.mjs http://127.0.0.1:7474 [DIR for screenshots]
//
// Prints one line a look and, last, `axe: V violations in N looks, F other faults`. Ends with 1 when there is any.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const base = process.argv[2] ?? "http://127.0.0.1:7474";
const shots = process.argv[3];
const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const flags = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
               "--disable-component-update", "--disable-sync"];
let looks = 0, violations = 0, faults = 0;

function fault(text) {
    faults += 1;
    console.log(`fault: ${text}`);
}

async function open(browser, options, path) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.on("console", (message) => {
        if (message.type() === "error") fault(`${path}: ${message.text()}`);
    });
    const answer = await page.goto(base + path);
    if (answer.status() !== 200) fault(`${path}: status ${answer.status()}`);
    return { context, page };
}

async function look(browser, name, path, width, colorScheme) {
    const { context, page } = await open(browser, { viewport: { width, height: 1000 }, colorScheme }, path);
    // Folded parts are looked at as well.
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
    await page.evaluate(axeSource);
    const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    looks += 1;
    violations += result.violations.length;
    for (const one of result.violations) {
        console.log(`violation: ${name} ${width} ${colorScheme}: ${one.id}: ${one.help}`);
        for (const node of one.nodes.slice(0, 3)) console.log(`    ${node.target} ${node.failureSummary}`);
    }
    console.log(`${name} ${width} ${colorScheme}: ${result.passes.length} rules pass, ${result.violations.length} violations`);
    if (shots) {
        await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = false)));
        await page.screenshot({ path: `${shots}/${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
    await context.close();
}

async function fits(browser, path, width, zoom) {
    const { context, page } = await open(browser, { viewport: { width, height: 900 } }, path);
    if (zoom !== 1) await page.evaluate((z) => (document.documentElement.style.fontSize = `${z * 100}%`), zoom);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (over > 0) fault(`${path} at ${width} pixels, text ${zoom * 100} %: ${over} pixels too wide`);
    await context.close();
}

// The main task, with no pointer and no script: to the first Look button, Enter, and the page says what became of it.
async function byKeyboard(browser, path) {
    const { context, page } = await open(browser, { viewport: { width: 1440, height: 900 }, javaScriptEnabled: false }, path);
    for (let presses = 0; presses < 80; presses += 1) {
        await page.keyboard.press("Tab");
        if ((await page.locator("button[name=look]:focus").count()) > 0) {
            await Promise.all([page.waitForURL(/did=look/), page.keyboard.press("Enter")]);
            if ((await page.locator("[role=status]").count()) !== 1) fault(`${path}: the press of Look is not told`);
            await context.close();
            return;
        }
    }
    fault(`${path}: no Look button within 80 presses of Tab`);
    await context.close();
}

if (!browserPath) {
    console.log("skipped: no Chromium; install the package chromium");
    process.exit(0);
}
if (shots) mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({ executablePath: browserPath, args: flags, chromiumSandbox: process.getuid() !== 0 });
try {
    const pages = [["household", "/"], ["newcomer", "/?customer="]];
    for (const [name, path] of pages)
        for (const width of [1440, 390])
            for (const scheme of ["light", "dark"]) await look(browser, name, path, width, scheme);
    await byKeyboard(browser, "/");
    for (const [, path] of pages) {
        await fits(browser, path, 320, 1);
        await fits(browser, path, 1440, 2);
    }
} finally {
    await browser.close();
}
console.log(`axe: ${violations} violations in ${looks} looks, ${faults} other faults`);
process.exit(violations + faults > 0 ? 1 : 0);
