import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { temporaryFolder } from './files.ts';

const DEFAULT_PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = process.env.NN_TRAIN_CHROMIUM || DEFAULT_PATHS.find(existsSync);
const isRequired = process.env.CI_BROWSER === 'required';

/** A page with what it has complained about and asked for. */
export interface OpenPage {
  readonly page: Page;
  /** Errors and warnings on the console, and exceptions. */
  readonly errors: readonly string[];
  readonly requests: readonly string[];
}

export interface Pages {
  /** An empty page of 1440 × 900 pixels, closed after the test. */
  newPage(device?: BrowserContextOptions): Promise<OpenPage>;
  /** A page that shows a file. */
  open(html: string, device?: BrowserContextOptions): Promise<OpenPage & { readonly url: string }>;
}

/** A suite that needs Chromium: skipped if there is none, unless CI_BROWSER=required. */
export function describePages(name: string, suite: (pages: Pages) => void): void {
  const title = executablePath ? name : `${name} (skipped: no Chromium found; set NN_TRAIN_CHROMIUM to its path)`;
  describe.skipIf(!executablePath && !isRequired)(title, () => {
    let browser: Browser;
    beforeAll(async () => {
      if (!executablePath)
        throw new Error(`CI_BROWSER=required, but Chromium was not found at ${DEFAULT_PATHS.join(', ')}`);
      // Chromium cannot run as root in a sandbox.
      const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
      browser = await chromium.launch({ executablePath, args, timeout: 0 });
    });
    afterAll(() => browser?.close());

    async function newPage(device: BrowserContextOptions = {}): Promise<OpenPage> {
      const viewport = { width: 1440, height: 900 };
      const page = await browser.newPage({ viewport, reducedMotion: 'reduce', ...device });
      page.setDefaultTimeout(0);
      onTestFinished(() => page.close());
      const [errors, requests]: string[][] = [[], []];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) errors.push(message.text());
      });
      page.on('pageerror', (error) => errors.push(String(error)));
      page.on('request', (request) => {
        if (!request.url().startsWith('data:')) requests.push(request.url());
      });
      return { page, errors, requests };
    }

    async function open(html: string, device?: BrowserContextOptions) {
      const file = path.join(temporaryFolder(), 'report.html');
      writeFileSync(file, html);
      const opened = await newPage(device);
      const url = pathToFileURL(file).href;
      await opened.page.goto(url);
      return { ...opened, url };
    }

    suite({ newPage, open });
  });
}

/** Expects a page that fits its window, and in which axe finds nothing serious, on a phone and a large screen, light and dark. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate("document.querySelectorAll('details').forEach((element) => { element.open = true; })");
  await page.evaluate(axe.source);
  for (const width of [390, 1440]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await page.evaluate(NEXT_FRAME);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      expect(await page.evaluate(SERIOUS_VIOLATIONS), `${width} ${colorScheme}`).toEqual([]);
    }
  }
}

/** Resolves when the page has been laid out and painted again, including the effects of resize observers. */
export const NEXT_FRAME = 'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))';

/** Violations that axe-core rates serious or critical, each with its rule and first element. */
const SERIOUS_VIOLATIONS = `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .map(({ id, nodes }) => id + ': ' + nodes[0].html.slice(0, 200) + ' ' + nodes[0].failureSummary))`;
