import type { Example } from '../../../lecture/example.ts';
import { EXAMPLES } from '../../../lecture/examples.ts';
import { h } from '../../../report/page/dom.ts';
import { subjectOf } from '../../question.ts';
import type { State, View } from '../state.ts';

/** The examples of the lecture, as links: at the left, or on a narrow screen in a list above that opens. */
export class ExampleList implements View {
  readonly #title = h('summary');
  readonly #links = new Map(EXAMPLES.map((example) => [example.name, linkTo(example)]));
  readonly #marks = new Map(EXAMPLES.map(({ name }) => [name, h('span', { class: 'mark' })]));
  readonly #details: HTMLDetailsElement;
  readonly element: HTMLElement;
  readonly #isWide = matchMedia('(min-width: 1000px)');

  /** @param heading gets the focus when an example is opened. */
  constructor(heading: HTMLElement) {
    const items = Array.from(this.#links, ([name, link]) => h('li', {}, link, this.#marks.get(name)));
    this.#details = h('details', {}, this.#title, h('ol', {}, items));
    const skip = h('button', { type: 'button', class: 'skip' }, 'Skip to the example');
    skip.addEventListener('click', () => heading.focus());
    this.element = h('nav', { 'aria-label': 'Examples of the lecture' }, skip, this.#details);
    const arrange = () => (this.#details.open = this.#isWide.matches);
    arrange();
    this.#isWide.addEventListener('change', arrange);
    for (const link of this.#links.values()) {
      link.addEventListener('click', () => {
        arrange();
        heading.focus();
        scrollTo(0, 0);
      });
    }
  }

  update({ question, answered }: State): void {
    for (const [name, link] of this.#links) {
      if (name === question.example?.name) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    for (const [name, mark] of this.#marks) {
      if (!answered.has(name)) continue;
      mark.replaceChildren(h('span', { 'aria-hidden': 'true' }, '✓'), h('span', { class: 'hidden' }, ' done'));
    }
    const at = EXAMPLES.findIndex(({ name }) => name === question.example?.name);
    this.#title.textContent = at < 0 ? 'Examples of the lecture' : `Example ${at + 1} of ${EXAMPLES.length}`;
  }
}

function linkTo(example: Example): HTMLAnchorElement {
  const { name } = example;
  const subject = subjectOf(example);
  return h('a', { href: `#${name}` }, h('b', {}, name), ' ', subject === name ? null : h('span', {}, subject));
}
