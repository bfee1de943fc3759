import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { reportHtml } from '../../src/report/html.ts';
import type { SweepReport } from '../../src/report/sweep/sweep-data.ts';
import { describePages, expectAccessible, NEXT_FRAME } from '../support/browser.ts';
import { MANY, PARAMETERS, type SampleSweepOptions, sampleSweep } from '../support/sweep-report.ts';

const HALVED = 'trials with halving';

describePages('the page of a sweep', (pages) => {
  const open = (sweep: SweepReport) => pages.open(reportHtml(sweep));

  it.each<[string, SampleSweepOptions]>([
    [`24 ${HALVED}`, {}],
    [`150 ${HALVED}`, { trials: 150, rungs: [1, 3, 9, 27] }],
    ['no halving and one seed', { rungs: [5], seeds: 1 }],
    ['a sweep in progress', { state: 'running', planned: 64 }],
    [
      'a stopped sweep by loss on generated images',
      { state: 'stopped', metric: 'validation.loss', dataset: 'synthetic' },
    ],
    ['one trial', { trials: 1, rungs: [5] }],
    ['no trial', { trials: 0, state: 'running', planned: 8 }],
    ['diverged trials only', { trials: 6, diverges: true }],
    ['one hyperparameter', { parameters: PARAMETERS.slice(0, 1) }],
    ['twenty hyperparameters', { parameters: MANY }],
  ])('is accessible, fits its window and makes no requests: %s', async (_, options) => {
    const { page, errors, requests, url } = await open(sampleSweep(options));
    await expectAccessible(page);
    expect(errors).toEqual([]);
    expect(requests).toEqual([url]);
  });

  it('is smaller than a megabyte, for 500 trials too', () => {
    expect(reportHtml(sampleSweep({ trials: 500, rungs: [1, 3, 9, 27] })).length).toBeLessThan(1e6);
  });

  it('says what won, how sure that is, and how to train it again', async () => {
    const borders = ['lr is at the upper end of its range: try 0.1 to 10'];
    const sweep = sampleSweep({ borders });
    const { page } = await open(sweep);
    const header = (await page.locator('header').innerText()).replaceAll('\u00a0', ' ');
    const { mean, trial } = sweep.ranking[0];
    expect(header).toContain(`${(100 * mean).toFixed(2)} %\n± 0.23\nvalidation accuracy of trial ${trial}`);
    expect(header).toContain(
      `${(100 * sweep.winner!.test!.accuracy).toFixed(2)} % test accuracy (95 % confidence interval`,
    );
    expect(header).toContain(borders[0]);
    expect(await page.locator('.command code').textContent()).toBe(`${sweep.winner!.command} `);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy' }).click();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(sweep.winner!.command);
  });

  it.each<[SampleSweepOptions, string]>([
    [{ state: 'running', planned: 64 }, 'In progress: 24 of 64 trials done'],
    [{ state: 'stopped', planned: 64 }, 'Stopped after 24 of 64 trials. Go on with nn-train sweep --resume sweeps/'],
    [{ trials: 6, diverges: true }, 'No trial has a result: 6 diverged of 6 trials'],
    [{ dataset: 'synthetic' }, 'This is not CIFAR-10'],
  ])('says how far the sweep is: %j', async (options, text) => {
    const { page } = await open(sampleSweep(options));
    expect(await page.locator('header').innerText()).toContain(text);
  });

  it('selects trials by keyboard, in all charts and in the table', async () => {
    const sweep = sampleSweep();
    const { page, errors } = await open(sweep);
    const rows = page.locator('#trials tbody tr');
    expect(await rows.count()).toBe(24);
    const handle = page.getByRole('slider', { name: 'optimizer, lower end' });
    await handle.focus();
    await page.keyboard.press('ArrowUp');
    await page.evaluate(NEXT_FRAME);
    expect(await handle.getAttribute('aria-valuetext')).toContain('selected: adamw, muon');
    const others = sweep.trials.filter(({ values }) => values.optimizer !== 'sgd').length;
    expect(await page.getByRole('status').filter({ hasText: 'selected' }).innerText()).toBe(
      `${others} of 24 trials selected`,
    );
    expect(await rows.count()).toBe(others);
    expect(await page.locator('.lines path:not(.out)').count()).toBe(others);
    const dot = page.locator(
      `#best-so-far [data-trial="${sweep.trials.find(({ values }) => values.optimizer === 'sgd')!.trial}"]`,
    );
    expect(await dot.getAttribute('class')).toContain('out');
    await page.getByRole('button', { name: 'Select all' }).click();
    expect(await rows.count()).toBe(24);
    expect(errors).toEqual([]);
  });

  it.each([
    [1440, 'mouse'],
    [390, 'mouse'],
    [1440, 'touch'],
    [390, 'touch'],
  ] as const)('selects trials by dragging along an axis, at %i pixels by %s', async (width, pointer) => {
    const sweep = sampleSweep();
    const isTouch = pointer === 'touch';
    const device = { viewport: { width, height: 900 }, hasTouch: isTouch, isMobile: isTouch };
    const { page } = await pages.open(reportHtml(sweep), device);
    const area = page.locator('.brush .area').last();
    await area.scrollIntoViewIfNeeded();
    const { x, y, width: w, height: h } = (await area.boundingBox())!;
    // The better end of the metric is the upper one or the right one.
    const at = (share: number) =>
      w < h ? { x: x + w / 2, y: y + (1 - share) * h } : { x: x + share * w, y: y + h / 2 };
    await drag(page, pointer, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4].map(at));
    await page.evaluate(NEXT_FRAME);
    const shown = await page.locator('#trials tbody tr').evaluateAll((rows) => rows.map((row) => row.dataset.trial));
    const top = (share: number) => sweep.ranking.filter(({ mean }) => mean > share).map(({ trial }) => String(trial));
    expect(shown).toEqual(expect.arrayContaining(top(0.47).filter((trial) => trial !== String(sweep.winner!.trial))));
    expect(shown.filter((trial) => !top(0.3).includes(trial!))).toEqual([]);
    await drag(page, pointer, [at(0.65)]);
    await page.evaluate(NEXT_FRAME);
    expect(await page.locator('#trials tbody tr').count()).toBe(24);
  });

  it('lights up a trial everywhere when its row or its line has the focus', async () => {
    const { page } = await open(sampleSweep());
    const lit = () => page.locator('.lit').evaluateAll((parts) => parts.map((part) => part.getAttribute('data-trial')));
    const [first, second] = await page
      .locator('#trials tbody tr')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-trial')));
    await page.locator('#trials tbody tr').first().focus();
    expect(new Set(await lit())).toEqual(new Set([first]));
    expect((await lit()).length).toBeGreaterThan(4);
    await page.keyboard.press('ArrowDown');
    expect(new Set(await lit())).toEqual(new Set([second]));
    expect(await page.locator('#trial-detail').innerText()).toContain(`Trial ${second}, `);
    // The best trial is the first line that Tab reaches.
    await page.locator('.lines [tabindex="0"]').focus();
    expect(new Set(await lit())).toEqual(new Set([first]));
    await page.keyboard.press('ArrowRight');
    expect(new Set(await lit())).toEqual(new Set([second]));
  });

  it('sorts its table by any column', async () => {
    const sweep = sampleSweep();
    const { page } = await open(sweep);
    const column = page.getByRole('columnheader', { name: 'lr' });
    const rates = () =>
      page.locator('#trials tbody tr').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-trial')));
    const sorted = [...sweep.trials]
      .sort((a, b) => Number(a.values.lr) - Number(b.values.lr))
      .map(({ trial }) => String(trial));
    await column.getByRole('button').press('Enter');
    expect(await column.getAttribute('aria-sort')).toBe('ascending');
    expect(new Set((await rates()).slice(0, 3))).toEqual(new Set(sorted.slice(0, 3)));
    await column.getByRole('button').press('Enter');
    expect(await column.getAttribute('aria-sort')).toBe('descending');
    expect((await rates())[0]).toBe(sorted.at(-1));
    expect(await page.locator('[aria-sort]').count()).toBe(1);
  });

  it('shows a hundred of many trials until asked for all', async () => {
    const { page } = await open(sampleSweep({ trials: 300 }));
    expect(await page.locator('#trials tbody tr').count()).toBe(100);
    await page.getByRole('button', { name: 'Show all 300 trials' }).click();
    expect(await page.locator('#trials tbody tr').count()).toBe(300);
  });

  it('says why trials have no result of their own', async () => {
    const { page } = await open(sampleSweep());
    const row = (trial: number) => page.locator(`#trials tr[data-trial="${trial}"]`).innerText();
    expect(await row(8)).toMatch(/failed\s+the worker ran out of memory/);
    expect(await row(9)).toContain('same as trial 5');
  });

  it('counts the trials of each rung', async () => {
    const { page } = await open(sampleSweep());
    await page.locator('#rungs summary').click();
    const cells = await page
      .locator('#rungs tbody tr')
      .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
    // 23 of the 24 trials have a configuration of their own, and one of them fails at once.
    expect(cells).toEqual(
      [
        ['1\u00a0epoch', '23', '7', '1'],
        ['3\u00a0epochs', '7', '3', '0'],
        ['9\u00a0epochs', '3', '3', '0'],
      ].map((row) => row.map((text) => text.replace('\u00a0', ' '))),
    );
  });

  it('renders hostile names as text', async () => {
    const hostile = '</script><!--<img src=x onerror="document.body.dataset.hacked=1">"\'[';
    const parameters = [PARAMETERS[0], { name: hostile, scale: 'choice', domain: [hostile, 'b'] } as const];
    const { page, errors, requests } = await open(sampleSweep({ parameters, name: hostile, borders: [hostile] }));
    expect(await page.evaluate("document.querySelectorAll('img').length")).toBe(0);
    expect(await page.evaluate('document.body.dataset.hacked')).toBeUndefined();
    await page.locator('#trials button').last().click();
    expect(await page.evaluate('document.body.innerText')).toContain(hostile);
    expect(errors).toEqual([]);
    expect(requests).toHaveLength(1);
  });
});

/** Presses a mouse or a finger at the first place, moves it to the others and lets go. */
async function drag(
  page: Page,
  pointer: 'mouse' | 'touch',
  places: readonly { x: number; y: number }[],
): Promise<void> {
  if (pointer === 'mouse') {
    await page.mouse.move(places[0].x, places[0].y);
    await page.mouse.down();
    for (const { x, y } of places) await page.mouse.move(x, y);
    await page.mouse.up();
    return;
  }
  const session = await page.context().newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints });
  await touch('touchStart', [places[0]]);
  for (const place of places.slice(1)) await touch('touchMove', [place]);
  await touch('touchEnd', []);
}
