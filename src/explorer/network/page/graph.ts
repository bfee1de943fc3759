import { Picture } from '../../page/view/picture.ts';
import { drawingRegion } from '../../page/view/region.ts';
import type { NetworkData } from '../network-data.ts';

/** Scales of the graph at which its text is legible, and not larger than all other text. */
const [MIN_SCALE, MAX_SCALE] = [0.76, 1.15];

/** The training graph. One wire is chosen; another one is shown while the pointer is on it. */
export class GraphView {
  readonly element = drawingRegion();
  readonly #data: NetworkData;
  readonly #picture: Picture;
  readonly #show: (wire: string) => void;
  #chosen: string;

  /** @param show called with the name of the wire whose numbers are to be shown. */
  constructor(data: NetworkData, chosen: string, show: (wire: string) => void) {
    this.#data = data;
    this.#chosen = chosen;
    this.#show = show;
    this.#picture = new Picture(data.layout, 'down', () => {});
    for (const label of this.#labels()) {
      label.setAttribute('role', 'button');
      label.setAttribute('aria-controls', 'wire');
    }
    this.#listen();
    this.element.append(this.#picture.element);
    new ResizeObserver(() => this.#picture.fit(this.element.clientWidth, MIN_SCALE, MAX_SCALE)).observe(this.element);
    this.#update();
  }

  /** Moves the focus to the chosen wire. */
  focus(): void {
    this.#picture.element.querySelector<SVGElement>('[aria-pressed=true]')!.focus();
  }

  #labels(): NodeListOf<Element> {
    return this.#picture.element.querySelectorAll('.label');
  }

  #listen(): void {
    // Not on the svg: browsers put an svg that listens to the focus into the order of the tab key.
    const { element } = this;
    const keyAt = ({ target }: Event) => (target as Element).closest('[data-key]')?.getAttribute('data-key');
    const choose = (event: Event) => {
      const key = keyAt(event);
      if (key) this.#choose(key);
    };
    element.addEventListener('focusin', choose);
    element.addEventListener('click', choose);
    element.addEventListener('pointerover', (event) => {
      if (event.pointerType === 'mouse') this.#show(keyAt(event) ?? this.#chosen);
    });
    element.addEventListener('pointerleave', () => this.#show(this.#chosen));
    element.addEventListener('keydown', (event) => {
      if (!keyAt(event) || (event.key !== 'Enter' && event.key !== ' ')) return;
      event.preventDefault();
      document.getElementById('wire')!.focus();
    });
  }

  /** The name of a wire, what its texts are, and the texts themselves as they are drawn, which a button has to be named by. */
  #spoken(label: Element): string {
    const { name, shape, meanValue, meanGradient } = this.#data.wires.find(
      (wire) => wire.name === label.getAttribute('data-key'),
    )!;
    const kinds = [
      ...(shape.length > 0 ? ['shape', 'memory'] : []),
      ...(meanValue === null ? [] : ['mean value']),
      ...(meanGradient === null ? [] : ['mean gradient']),
    ];
    const texts = label.querySelectorAll('text');
    for (const text of texts) text.append(' ');
    return `${name}, ${kinds.join(', ')}: ${Array.from(texts, ({ textContent }) => textContent).join('')}`;
  }

  #choose(wire: string): void {
    this.#chosen = wire;
    this.#update();
    this.#show(wire);
  }

  #update(): void {
    const chosen = this.#chosen;
    this.#picture.show({
      diagram: {
        title: '',
        nodes: this.#data.layout.nodes.map(({ node }) => node),
        wires: this.#data.layout.wires.map(({ wire }) => wire),
      },
      isValueKnown: () => true,
      isGradientKnown: () => true,
      isActive: (key) => key === chosen,
      nameOf: (key) => key,
      gate: undefined,
      inspected: chosen,
      asked: undefined,
    });
    for (const label of this.#labels()) {
      label.setAttribute('aria-pressed', String(label.getAttribute('data-key') === chosen));
      label.setAttribute('aria-label', this.#spoken(label));
    }
  }
}
