import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { describePages } from '../support/browser.ts';
import { htmlOf, lectureHtml } from '../support/explorer.ts';
import { ROOT } from '../support/markdown.ts';

/** How `scripts/screenshot.mjs` took a picture, and the text that it shows. */
interface Description {
  readonly address: string;
  readonly selector: string;
  readonly keys: readonly string[];
  readonly text: string;
}

function descriptionOf(picture: string): Description {
  const png = readFileSync(path.join(ROOT, 'docs/pictures', picture), 'latin1');
  return JSON.parse(png.match(/tEXtDescription\0([ -~]*\})/)![1]);
}

describePages('pictures in the documentation', (pages) => {
  it.each([
    ['explorer.png', () => htmlOf('product')],
    ['lecture.png', lectureHtml],
  ])('%s shows what the page shows; if not, redraw it with scripts/pictures.sh', async (picture, html) => {
    const { address, selector, keys, text } = descriptionOf(picture);
    const { page, url } = await pages.open(html(), { viewport: { width: 1200, height: 900 } });
    if (address !== '') await page.goto(`${url}#${address}`);
    await page.locator('#drawing .label').first().waitFor({ state: 'attached' });
    for (const key of keys) await page.locator(selector).press(key);
    expect(await page.locator('main').innerText()).toBe(text);
  });
});
