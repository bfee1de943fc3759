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
    const { page } = await open(reportData({ name: 'one' }, { name: 'two', config: { lr: 0.1 } }));
    const lines = page.locator('#validation-loss svg');
    const box = page.getByRole('checkbox', { name: 'A one' });
    await box.focus();
    expect(await lines.textContent()).toContain('A one');
    await page.keyboard.press('Space');
    expect(await lines.textContent()).not.toContain('A one');
    expect(await lines.textContent()).toContain('B two');
    expect(await box.evaluate('document.activeElement.value')).toBe('0');
    await page.keyboard.press('Space');
    expect(await lines.textContent()).toContain('A one');
  });

  it('marks the best run, and lists only hyperparameters that differ', async () => {
    const runs = [0.1, 0.2, 0.1].map((lr, i) => ({ name: `run-${i}`, accuracy: 0.4 + lr, config: { lr } }));
    const { page } = await open(reportData(...runs));
    const best = page.locator('#results tbody tr', { has: page.locator('td:nth-child(3) .badge') });
    expect(await best.locator('th').innerText()).toContain('run-1');
    expect(await page.locator('#differences tbody th').allInnerTexts()).toEqual(['lr']);
    expect(await page.locator('#differences .unusual').allInnerTexts()).toEqual(['0.2']);
  });

  it('ranks no runs that used different images', async () => {
    const runs = [0.3, 0.5, 0.4].map((accuracy, i) => ({ name: `run-${i}`, accuracy }));
    const same = await open(reportData(...runs));
    expect(await same.page.locator('#results').innerText()).toContain('B leads C by');
    expect(await same.page.locator('#classes').innerText()).toContain('the lead of one run over another');
    const { page } = await open(reportData(...runs.slice(1), { ...runs[0], dataset: 'synthetic' }));
    expect(await page.locator('.notice').first().innerText()).toContain('cannot be compared');
    expect(await page.locator('#results .badge').count()).toBe(0);
    expect(await page.locator('#results .caption').innerText()).toMatch(/^Validation accuracy is from/);
    expect(await page.locator('#classes').innerText()).not.toContain('the lead');
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
