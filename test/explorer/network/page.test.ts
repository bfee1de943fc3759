import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { networkHtml } from '../../../src/explorer/html.ts';
import type { NetworkData } from '../../../src/explorer/network/network-data.ts';
import { short } from '../../../src/explorer/network/number.ts';
import { bytesOf, decodePixels } from '../../../src/explorer/network/pixel-map.ts';
import type { ModelConfig } from '../../../src/models/model.ts';
import { describePages, expectAccessible, NEXT_FRAME } from '../../support/browser.ts';
import { DENSE, LINEAR, LOCAL, networkOf } from '../../support/network.ts';

const dataOf = async (config: ModelConfig) => (await networkOf(config)).data;

/** The colours of the pixels of a canvas, [r, g, b, opacity, …]. */
const coloursOf = (page: Page, selector: string): Promise<number[]> =>
  page.evaluate(`[...document.querySelector('${selector}').getContext('2d').getImageData(0, 0, 32, 32).data]`);

const pixelText = (page: Page) => page.locator('#pixel').innerText();

/** What is read out of the gradient of a pixel. */
function gradientAt(map: NetworkData['examples'][number]['lossGradient'], row: number, column: number): string {
  const numbers = decodePixels(map);
  const at = (plane: number) => short(numbers[plane * 1024 + row * 32 + column]);
  return `red ${at(0)}, green ${at(1)}, blue ${at(2)}`;
}

describePages('the page of a network', (pages) => {
  it.each<[string, ModelConfig]>([
    ['a linear classifier', LINEAR],
    ['a dense network', DENSE],
    ['receptive fields', LOCAL],
    ['the mirror image, dropout and hinge loss', { ...LOCAL, mirror: true, dropout: 0.2, loss: 'hinge' }],
  ])('is accessible, fits its window, and makes no requests: %s', async (_, config) => {
    const data = await dataOf(config);
    const { page, errors, requests, url } = await pages.open(networkHtml(data));
    await expectAccessible(page);
    expect(await page.locator('h1').innerText()).toBe(data.title);
    for (const { name } of data.wires) {
      await page.locator(`[data-key="${name}"]`).first().focus();
      expect(await page.locator('#wire h2').innerText()).toBe(name);
    }
    await page.locator('[data-key=hidden], [data-key=logits]').first().focus();
    await expectAccessible(page);
    expect(errors).toEqual([]);
    expect(requests).toEqual([url]);
  });

  it('shows the numbers of a wire, and those of another one only while the pointer is on it', async () => {
    const data = await dataOf(LOCAL);
    const { page } = await pages.open(networkHtml(data));
    const panel = page.locator('#wire');
    expect(await panel.locator('h2').innerText()).toBe('fc1.weight');
    await page.locator('[data-key=logits]').hover();
    expect(await panel.locator('h2').innerText()).toBe('logits');
    await page.locator('h1').hover();
    expect(await panel.locator('h2').innerText()).toBe('fc1.weight');
    await page.locator('[data-key=hidden]').click();
    await page.locator('h1').hover();
    expect(await page.locator('[data-key=hidden]').getAttribute('aria-pressed')).toBe('true');
    const { value, gradient, meanValue, meanGradient } = data.wires.find(({ name }) => name === 'hidden')!;
    const numbers = (await panel.locator('.pair dd').allInnerTexts()).map((text) => text.trim());
    const texts = [
      meanValue!,
      value!.mean,
      value!.min,
      value!.max,
      meanGradient!,
      gradient!.mean,
      gradient!.min,
      gradient!.max,
    ];
    expect(numbers).toEqual(texts.map(short));
    expect(await panel.locator('.pair .bar.value').count()).toBe(value!.counts.length);
    expect(await panel.locator('.pair .bar.gradient').count()).toBe(gradient!.counts.length);
  });

  it('names dead units, and draws weights or their gradients', async () => {
    const { data } = await networkOf(DENSE, {
      change: async ({ graph: { backend, parameters } }) => {
        backend.write(
          parameters[1].tensor,
          Array.from({ length: 12 }, (_, unit) => (unit % 5 === 0 ? -1e6 : 0)),
        );
      },
    });
    const { page } = await pages.open(networkHtml(data));
    const before = await coloursOf(page, '#wire figure canvas');
    await page.locator('#wire input[value=gradient]').check();
    expect(await coloursOf(page, '#wire figure canvas')).not.toEqual(before);
    await page.locator('[data-key=hidden]').focus();
    expect(await page.locator('#dead').innerText()).toContain('3 of 12 units are dead');
    await page.locator('#wire summary').click();
    expect(await page.locator('#wire details p').innerText()).toBe('unit 0; unit 5; unit 10');
  });

  it('shows the scores and the loss of an image, and the gradient of any of them by its pixels', async () => {
    const data = await dataOf(DENSE);
    const { page } = await pages.open(networkHtml(data));
    const [first, second] = data.examples;
    expect(await pixelText(page)).toContain(gradientAt(first.scoreGradients[first.label], 16, 16));
    await page.locator('#scores input[value="6"]').check();
    expect(await pixelText(page)).toContain(gradientAt(first.scoreGradients[6], 16, 16));
    await page.locator('.thumbnails label').nth(1).click();
    expect(await pixelText(page)).toContain(gradientAt(second.scoreGradients[6], 16, 16));
    await page.locator('#scores input[value=loss]').check();
    expect(await pixelText(page)).toContain(gradientAt(second.lossGradient, 16, 16));
    expect(Number(await page.locator('#loss').innerText())).toBeCloseTo(second.loss, 3);
    const scores = (await page.locator('#scores .score').allInnerTexts()).map((text) => Number(text.replace('−', '-')));
    for (const [label, score] of scores.entries()) expect(score).toBeCloseTo(second.scores[label], 1);
    const bytes = bytesOf(second.pixels);
    const wanted = Array.from({ length: 4096 }, (_, i) =>
      i % 4 === 3 ? 255 : bytes[(i % 4) * 1024 + Math.floor(i / 4)],
    );
    expect(await coloursOf(page, '#pixels canvas')).toEqual(wanted);
  });

  it('works by keyboard alone', async () => {
    const data = await dataOf(LOCAL);
    const { page } = await pages.open(networkHtml(data));
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const focused = () => page.evaluate('document.activeElement.dataset.key ?? document.activeElement.id');
    await press('Tab', 'Tab');
    expect(await focused()).toBe('images');
    await press('Tab', 'Enter');
    expect(await focused()).toBe('wire');
    await press('Escape');
    expect(await focused()).toBe('fields');
    await page.locator('.thumbnails input').first().focus();
    await press('ArrowRight', 'Tab', 'ArrowDown', 'Tab');
    expect(await focused()).toBe('pixels');
    await press('ArrowLeft', 'ArrowDown', 'ArrowDown');
    const { label, scoreGradients } = data.examples[1];
    const start = data.examples[0].label;
    expect(start).not.toBe(label);
    expect(await pixelText(page)).toContain(gradientAt(scoreGradients[start + 1], 18, 15));
    await press(...Array(40).fill('ArrowUp'));
    expect(await pixelText(page)).toMatch(/^Row 0, column 15/);
  });

  it('shows its numbers under the graph on a phone, without covering all of it', async () => {
    const { page } = await pages.open(networkHtml(await dataOf(LOCAL)), { viewport: { width: 390, height: 844 } });
    await page.locator('[data-key=images]').click();
    await page.evaluate(NEXT_FRAME);
    const [wire, graph] = await Promise.all(
      ['#wire', '[data-key=images]'].map((one) => page.locator(one).boundingBox()),
    );
    expect(Math.round(wire!.y + wire!.height)).toBe(844);
    expect(graph!.y + graph!.height).toBeLessThan(wire!.y);
    // The whole graph fits the width.
    expect(await page.evaluate("document.querySelector('#drawing').scrollWidth")).toBeLessThanOrEqual(390 - 32);
  });
});

it('is smaller than 5 MB, with the largest pictures', async () => {
  const { data } = await networkOf({ ...DENSE, hidden: 48 }, { images: 300 });
  expect(data.wires.find(({ filters }) => filters)!.filters!.shown).toHaveLength(48);
  const perExample = JSON.stringify(data.examples[0]).length;
  // Ten images that the network gets right, and ten others.
  const html = networkHtml(data).length + (20 - data.examples.length) * perExample;
  expect(html).toBeLessThan(5e6);
});
