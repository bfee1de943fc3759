import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { EXAMPLES } from '../../src/lecture/examples.ts';
import { describePages, expectAccessible } from '../support/browser.ts';
import { goTo, lectureHtml, SHOW_NUMBERS, type } from '../support/explorer.ts';

const drawn = (page: Page) => page.locator('#drawing .label').first().waitFor({ state: 'attached' });

/** Texts of the gradients in the drawing. */
const gradientsOf = (page: Page) => page.locator('#drawing .gradient').allTextContents();

const answer = async (page: Page, text: string) => {
  await page.locator('#answer').fill(text);
  await page.locator('#answer').press('Enter');
};

describePages('the page of the lecture', (pages) => {
  it('lists all examples, and opens each by its link, with its text and its question', async () => {
    const { page, errors, requests, url } = await pages.open(lectureHtml());
    const links = page.locator('nav a');
    expect(await links.evaluateAll((all) => all.map((link) => link.getAttribute('href')))).toEqual(
      EXAMPLES.map(({ name }) => `#${name}`),
    );
    for (const [i, { text, exercise, title }] of EXAMPLES.entries()) {
      await links.nth(i).press('Enter');
      await page.locator('nav [aria-current]').and(links.nth(i)).waitFor();
      expect(await page.locator('h1:focus').count()).toBe(1);
      expect(title.startsWith(await page.locator('h1').innerText())).toBe(true);
      expect(await page.locator('header').innerText()).toContain(text);
      expect(await page.locator('#exercise label').innerText()).toBe(exercise.question);
    }
    expect(errors).toEqual([]);
    expect(requests).toEqual([url]);
  });

  it('shows no gradient but the first before the answer, judges it, and then shows all', async () => {
    const { page, errors } = await pages.open(lectureHtml());
    await page.evaluate(SHOW_NUMBERS);
    await drawn(page);
    expect((await gradientsOf(page)).sort()).toEqual(['1', '?']);
    expect(await page.locator('.notes').innerText()).toBe('');
    await answer(page, '4');
    const verdict = page.locator('#verdict');
    expect(await verdict.innerText()).toBe('The size is right, the sign is not.');
    expect(await page.locator('#answer').getAttribute('aria-invalid')).toBe('true');
    expect((await gradientsOf(page)).sort()).toEqual(['1', '?']);
    // The question follows the numbers: ∂f/∂x = z.
    const { tables } = await type(page, ['z', 0, 5]);
    expect(tables[0][1]).toEqual([
      ['x', '-2', '…'],
      ['y', '5', '…'],
      ['z', '5', '…'],
    ]);
    await answer(page, '5');
    expect(await verdict.innerText()).toContain('Right: 5.');
    expect(await gradientsOf(page)).toEqual(expect.arrayContaining(['5', '3', '1']));
    expect(await page.locator('#answer').isVisible()).toBe(false);
    expect(await page.locator('nav li').first().innerText()).toContain('done');
    await page.keyboard.press('Enter');
    await page.locator('nav [aria-current][href="#sigmoid"]').waitFor();
    await page.goBack();
    await page.locator('nav [aria-current][href="#product"]').waitFor();
    expect(await verdict.innerText()).toContain('Done:');
    expect(errors).toEqual([]);
  });

  it('shows the solution of every example on request, and its notes', async () => {
    const { page } = await pages.open(lectureHtml());
    for (const { name, notes } of EXAMPLES) {
      await goTo(page, name);
      await page.locator('#exercise button', { hasText: 'solution' }).click();
      expect(await page.locator('#verdict').innerText(), name).toMatch(/^Here is the solution: -?\d/);
      expect(await page.locator('.notes').innerText()).toContain(notes[0]);
      expect(await page.locator('#step').innerText()).toContain('all values and gradients');
    }
    expect(await page.locator('nav li', { hasText: 'done' }).count()).toBe(EXAMPLES.length);
  });

  it('asks nothing about other expressions', async () => {
    const { page } = await pages.open(lectureHtml());
    await goTo(page, 'x*y', { x: 2, y: 3 });
    await drawn(page);
    expect(await page.locator('#exercise').isVisible()).toBe(false);
    expect(await page.locator('nav [aria-current]').count()).toBe(0);
    expect(await gradientsOf(page)).toEqual(expect.arrayContaining(['2', '3']));
  });

  it('is accessible while it asks, after a wrong answer and after the right one', async () => {
    const { page } = await pages.open(lectureHtml());
    await drawn(page);
    await expectAccessible(page);
    await answer(page, '7');
    await expectAccessible(page);
    await answer(page, '-4');
    await expectAccessible(page);
  });

  it('has the list above the example on a phone, closed once an example is chosen', async () => {
    const { page } = await pages.open(lectureHtml(), { viewport: { width: 390, height: 800 } });
    const list = page.locator('nav ol');
    expect(await list.isVisible()).toBe(false);
    await page.locator('nav summary').press('Enter');
    await page.locator('nav a[href="#branch"]').press('Enter');
    await page.locator('nav [aria-current][href="#branch"]').waitFor({ state: 'attached' });
    expect(await list.isVisible()).toBe(false);
    expect(await page.locator('nav summary').innerText()).toBe('Example 10 of 17');
  });
});
