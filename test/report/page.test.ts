import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { reportHtml } from '../../src/report/html.ts';
import type { ReportData } from '../../src/report/report-data.ts';
import { describePages, expectAccessible } from '../support/browser.ts';
import { reportData, sampleRun } from '../support/report.ts';

describePages('the report page', (pages) => {
  const open = (data: ReportData) => pages.open(reportHtml(data));

  it.each([
    ['a linear classifier', reportData({})],
    ['a network', reportData({ model: 'mlp' })],
    ['a run in progress on generated images', reportData({ state: 'training', epochs: 3, dataset: 'synthetic' })],
    ['a comparison', reportData({ name: 'a' }, { name: 'b', model: 'mlp' }, { name: 'c', plannedEpochs: 14 })],
    [
      'a comparison of seeds, kinds of loss and images',
      reportData(
        ...[0, 1].map((seed) => ({ name: `mlp-20261126-10101${seed}`, model: 'mlp' as const, config: { seed } })),
        { name: 'linear-20261126-101010', config: { loss: 'hinge' } },
        { name: 'linear-20261126-111111', dataset: 'synthetic' },
      ),
    ],
  ])('is accessible, fits its window and makes no requests: %s', async (_, data) => {
    expect(reportHtml(data).length).toBeLessThan(1.5e6);
    const { page, errors, requests, url } = await open(data);
    await expectAccessible(page);
    expect(errors).toEqual([]);
    expect(requests).toEqual([url]);
  });

  it('shows the numbers of the run', async () => {
    const data = reportData({ model: 'mlp' });
    const { test, epochs } = data.runs[0];
    const { page } = await open(data);
    const headline = await page.locator('#headline').innerText();
    expect(headline.replaceAll('\u00a0', ' ')).toContain(`${(test!.correct / 100).toFixed(2)} %`);
    expect(headline).toContain('of 10,000 test images');
    const catForDog = page.locator('.confusion tbody tr').nth(3).locator('td').nth(5);
    expect(await catForDog.innerText()).toBe(String(test!.confusion[3][5]));
    expect(await page.locator('#mistakes img').count()).toBe(30);
    expect(await page.locator('#epochs tbody tr').count()).toBe(epochs.length);
    const chart = page.getByRole('img', { name: /^Loss .* validation loss from/ });
    expect(await chart.getAttribute('aria-label')).toContain(epochs[0].train.loss.toFixed(4));
  });

  it.each([
    [{ state: 'training', epochs: 4 }, '#state', 'epoch 5 of 10'],
    [{ state: 'stopped', epochs: 4 }, '#state', 'Resume it with nn-train --resume runs/sketch.'],
    [{ epochs: 7, plannedEpochs: 10 }, '#state', 'Stopped early after 7 of 10 epochs'],
    [{ dataset: 'synthetic' }, '#data-notice', 'This is not CIFAR-10'],
  ] as const)('has a notice about the run: %j', async (run, place, text) => {
    const { page } = await open(reportData(run));
    expect(await page.locator(place).innerText()).toContain(text);
  });

  it('hides and shows runs by keyboard and keeps the focus', async () => {
    const { page } = await open(reportData({ name: 'one', accuracy: 0.5 }, { name: 'two', config: { lr: 0.1 } }));
    const lines = page.locator('#validation-loss svg');
    const box = page.getByRole('checkbox', { name: 'A lr 0.05 one' });
    await box.focus();
    expect(await lines.textContent()).toContain('A lr 0.05');
    await page.keyboard.press('Space');
    expect(await lines.textContent()).not.toContain('A lr 0.05');
    expect(await lines.textContent()).toContain('B lr 0.1');
    expect(await box.evaluate('document.activeElement.value')).toBe('0');
    await page.keyboard.press('Space');
    expect(await lines.textContent()).toContain('A lr 0.05');
  });

  it('sorts runs by validation accuracy, marks the best, and lists only hyperparameters that differ', async () => {
    const runs = [0.1, 0.2, 0.1].map((lr, i) => ({ name: `run-${i}`, accuracy: 0.4 + lr, config: { lr, val: i } }));
    const { page } = await open(reportData(...runs));
    const rows = await page.locator('#results tbody tr').allInnerTexts();
    expect(rows[0]).toContain('run-1');
    expect(rows[0]).toContain('best');
    expect(rows.slice(1).join()).not.toContain('best');
    expect(await page.locator('#differences tbody th').allInnerTexts()).toEqual(['lr', 'val']);
    const rates = page.locator('#differences tbody tr', { has: page.locator('th', { hasText: 'lr' }) });
    expect(await rates.locator('.unusual').allInnerTexts()).toEqual(['0.2']);
  });

  it('shows runs that differ in the seed alone as mean and deviation', async () => {
    const seeds = [0, 1, 2].map((seed) => ({ name: `run-${seed}`, accuracy: 0.5, config: { seed } }));
    const data = reportData(...seeds, { name: 'other', accuracy: 0.3, config: { lr: 0.1 } });
    const { page } = await open(data);
    const rows = (await page.locator('#results tbody tr').allInnerTexts()).map((row) => row.replaceAll('\u00a0', ' '));
    const tests = data.runs.slice(0, 3).map(({ test }) => 100 * test!.accuracy);
    const mean = (tests[0] + tests[1] + tests[2]) / 3;
    const variance = tests.map((value) => (value - mean) ** 2).reduce((sum, square) => sum + square) / 2;
    expect(rows[0]).toMatch(/^A\s+lr 0.05\s+mean ± deviation of 3 seeds/);
    expect(rows[0]).toContain(`${mean.toFixed(2)} % ± ${Math.sqrt(variance).toFixed(2)}`);
    expect(
      rows
        .slice(1, 4)
        .map((row) => row.match(/^A\d\s+seed \d/)?.[0].replace(/\s+/, ' '))
        .sort(),
    ).toEqual([
      expect.stringMatching(/^A1 seed/),
      expect.stringMatching(/^A2 seed/),
      expect.stringMatching(/^A3 seed/),
    ]);
    expect(rows[4]).toMatch(/^B\s+lr 0.1/);
    expect(await page.locator('#validation-accuracy svg').textContent()).toContain('A1 seed');
  });

  it('compares no losses of different kinds', async () => {
    const [softmax, hinge] = ['softmax', 'hinge'].map((loss) => ({ name: loss, config: { loss } }));
    const { page } = await open(reportData(softmax, { ...softmax, config: { loss: 'softmax', lr: 0.1 } }, hinge));
    const heads = await page.locator('#results thead th').allInnerTexts();
    expect(heads).toEqual(expect.arrayContaining(['Validation cross-entropy', 'Validation hinge loss']));
    const badges = page.locator(`#results tbody td:nth-child(${heads.indexOf('Validation hinge loss') + 1}) .badge`);
    expect(await badges.count()).toBe(0);
    expect(await page.locator('#validation-loss-softmax tbody tr').first().locator('td').count()).toBe(2);
    expect(await page.locator('#validation-loss-hinge tbody tr').first().locator('td').count()).toBe(1);
  });

  it('compares no runs that used different images', async () => {
    const runs = [0.3, 0.5, 0.4].map((accuracy, i) => ({ name: `run-${i}`, accuracy, config: { lr: accuracy } }));
    const same = await open(reportData(...runs));
    expect(await same.page.locator('#results').innerText()).toContain('A leads B by');
    expect(await same.page.locator('#classes').innerText()).toContain('the lead of one run over another');
    const { page } = await open(reportData({ ...runs[0], dataset: 'synthetic' }, runs[0], runs[1]));
    expect(await page.locator('.notice').first().innerText()).toContain('Only runs on the same images are compared');
    expect(await page.locator('#results').innerText()).toMatch(/^Results on CIFAR-10[\s\S]*A leads B by/);
    const others = page.locator('#results-2');
    expect(await others.innerText()).toMatch(/^Results on the synthetic stand-in/);
    expect(await others.locator('tbody tr').count()).toBe(1);
    expect(await others.locator('.badge').count()).toBe(0);
    expect(await others.locator('.caption').innerText()).toMatch(/^Validation accuracy is from/);
    expect(await page.locator('#classes-2').innerText()).not.toContain('the lead');
  });

  it('switches its theme and skips to the content by keyboard', async () => {
    const { page } = await open(reportData({}));
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const before = await background();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await background()).not.toBe(before);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('content');
  });

  it.each([1, 2])('renders hostile names as text, with %i runs', async (runs) => {
    const hostile = '</script><!--<img src=x onerror="document.body.dataset.hacked=1">';
    const run = { name: hostile, classes: [hostile, 'b', 'c'], config: { [hostile]: hostile } };
    const { page, errors, requests } = await open(reportData(...Array(runs).fill(run)));
    expect(await page.evaluate("document.querySelectorAll('img:not([src^=data])').length")).toBe(0);
    expect(await page.evaluate('document.body.dataset.hacked')).toBeUndefined();
    expect(await page.evaluate('document.body.innerText')).toContain(hostile);
    expect(errors).toEqual([]);
    expect(requests).toHaveLength(1);
  });

  it('follows a run during training and keeps the scroll position and the focus', async () => {
    const events: ServerResponse[] = [];
    const atEpoch = (epochs: number) => sampleRun({ state: epochs < 10 ? 'training' : 'finished', epochs });
    const server = createServer((request, response) => {
      const isEvents = request.url === '/events';
      response.writeHead(200, { 'Content-Type': isEvents ? 'text/event-stream' : 'text/html; charset=utf-8' });
      if (isEvents) {
        response.flushHeaders();
        events.push(response);
      } else response.end(reportHtml({ generator: 'nn-train', runs: [atEpoch(3)] }, { live: true }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { page, errors } = await pages.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await expect.poll(() => events.length).toBe(1);
    await page.locator('#update-ratios summary').press('Enter');
    const top = () => page.evaluate('scrollY');
    const before = await top();
    expect(before).toBeGreaterThan(0);

    events[0].write(`data: ${JSON.stringify(atEpoch(4))}\n\n`);
    await expect.poll(() => page.locator('#epochs tbody tr').count()).toBe(4);
    expect(await page.locator('#state').innerText()).toContain('epoch 5 of 10');
    expect(await page.evaluate("document.activeElement.matches('#update-ratios summary')")).toBe(true);
    expect(await page.locator('#update-ratios details').getAttribute('open')).not.toBeNull();
    expect(await top()).toBe(before);

    events[0].end(`data: ${JSON.stringify(atEpoch(10))}\n\n`);
    await expect.poll(() => page.locator('#headline').innerText()).toContain('test accuracy');
    expect(await page.locator('#connection').innerText()).toBe('');
    expect(await page.locator('#state').count()).toBe(0);
    expect(errors).toEqual([]);
  });
});
