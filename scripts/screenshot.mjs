// Usage: node scripts/screenshot.mjs page.html picture.png [key …]
// Takes a picture of the graph of a page to explore, after the given keys. Needs Chromium.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [page, picture, ...keys] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.NN_TRAIN_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const view = await browser.newPage({ viewport: { width: 1000, height: 770 }, reducedMotion: 'reduce' });
await view.goto(pathToFileURL(path.resolve(page)).href);
await view.locator('#drawing .label').first().waitFor({ state: 'attached' });
for (const key of keys) await view.keyboard.press(key);
await view.screenshot({ path: picture });
await browser.close();
