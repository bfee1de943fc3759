// Usage: node scripts/screenshot.mjs page.html[#address] picture.png SELECTOR [key …]
// Takes a picture of a page to explore after the given keys, pressed at an element. Needs Chromium. The picture contains how it
// was taken and the text that it shows, as JSON in a text chunk, so that a test can tell when it is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';
import { chromium } from 'playwright-core';

const [page, picture, selector, ...keys] = process.argv.slice(2);
const [file, address = ''] = page.split('#');
const browser = await chromium.launch({
  executablePath: process.env.NN_TRAIN_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const view = await browser.newPage({ viewport: { width: 1200, height: 900 }, reducedMotion: 'reduce' });
await view.goto(`${pathToFileURL(path.resolve(file)).href}#${address}`);
await view.locator('#drawing .label').first().waitFor({ state: 'attached' });
for (const key of keys) await view.locator(selector).press(key);
const text = await view.locator('main').innerText();
await view.screenshot({ path: picture });
await browser.close();
writeFileSync(picture, withText(readFileSync(picture), JSON.stringify({ address, selector, keys, text })));

/** Adds a text chunk to a PNG, after its header of 33 bytes. */
function withText(png, text) {
  const ascii = text.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const body = Buffer.from(`tEXtDescription\0${ascii}`, 'latin1');
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}
