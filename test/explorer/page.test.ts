import { expect, it } from 'vitest';
import { describePages, expectAccessible, NEXT_FRAME } from '../support/browser.ts';
import { goTo, htmlOf, type } from '../support/explorer.ts';

describePages('a page to explore a graph', (pages) => {
  it('predicts how the output moves, once the gradient is known', async () => {
    const { page } = await pages.open(htmlOf('norm2'));
    await page.locator('#what-if-leaf').selectOption({ label: 'W[1][0]' });
    await page.locator('#what-if-h').fill('0.01');
    await page.evaluate(NEXT_FRAME);
    // q = [0.22, 0.26], x = [0.2, 0.4]: ∂f/∂W = 2 q xᵀ, and q₁ moves by 0.002.
    const [moved, predicted] = await page.locator('#what-if-result dd').allInnerTexts();
    expect(Number(moved)).toBeCloseTo(0.262 ** 2 - 0.26 ** 2, 6);
    expect(Number(predicted)).toBeCloseTo(0.01 * 2 * 0.26 * 0.2, 6);
    await page.locator('h1').press('ArrowLeft');
    await page.locator('h1').press('ArrowLeft');
    await page.evaluate(NEXT_FRAME);
    expect(await page.locator('#what-if-result dd').allInnerTexts()).toEqual([moved, 'not yet computed']);
  });

  it('opens what its address says, keeps it up to date, and marks errors at their place', async () => {
    const { page, errors } = await pages.open(htmlOf('product'));
    expect(await page.locator('#expression').inputValue()).toBe('q = x + y; f = q * z');
    await page.locator('#expression').fill('a = x*y; exp(a');
    await page.keyboard.press('Enter');
    expect(await page.locator('#expression-problem').innerText()).toContain('at column 15: expected');
    await page.locator('#expression').fill('a = x*y; tanh(a)');
    await page.locator('#values').fill('x = 2, y = [0.5, 1]');
    await page.keyboard.press('Enter');
    await page.locator('#drawing [data-key]').first().waitFor();
    await type(page, ['x', 0, 3]);
    await page.waitForURL(/&x=3/);
    const address = page.url();
    expect(decodeURIComponent(address)).toMatch(/#a = x\*y; tanh\(a\)&x=3&y=\[0.5,1\]$/);
    await page.goto('about:blank');
    await page.goto(address);
    expect(await page.locator('h1').innerText()).toBe('a = x*y; tanh(a)');
    expect(await page.locator('[data-leaf=x]').inputValue()).toBe('3');
    expect(errors).toEqual([]);
  });

  it('says what values a gate does not take, and recovers', async () => {
    const { page } = await pages.open(htmlOf('log(x)', { x: 1 }));
    expect((await type(page, ['x', 0, -1])).problem).toContain('the gate log gives NaN for x = -1');
    expect((await type(page, ['x', 0, 2])).problem).toBe('');
    const field = page.locator('[data-leaf=x]');
    await field.press('ArrowUp');
    expect(await field.inputValue()).toBe('3');
  });

  it('is accessible, fits its window and makes no requests', async () => {
    const html = htmlOf('product');
    const { page, errors, requests, url } = await pages.open(html);
    for (const name of ['product', 'sigmoid', 'branch', 'matrix', 'two-layer', 'linear']) {
      await goTo(page, name);
      await page.locator('#drawing [data-key]').first().waitFor();
      await expectAccessible(page);
      await page.locator('#stepper button').first().press('Enter');
      await page.locator('#stepper button').nth(2).press('Enter');
      if (name === 'product' || name === 'matrix') await expectAccessible(page);
      expect(await page.locator('#step').innerText()).toMatch(/^Step 1 of \d+: forward through/);
    }
    expect(errors).toEqual([]);
    expect(requests).toEqual([url]);
    expect(html.length).toBeLessThan(5e6);
  });

  it('renders hostile expressions as text', async () => {
    const hostile = '</script><img src=x onerror="document.body.dataset.hacked=1">';
    const { page, errors } = await pages.open(htmlOf(hostile));
    expect(await page.locator('#expression-problem').innerText()).toContain('expected');
    expect(await page.evaluate('document.body.dataset.hacked')).toBeUndefined();
    expect(errors).toEqual([]);
  });
});
