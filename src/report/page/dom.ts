export type Child = Node | string | null | undefined | readonly Child[];

/** Creates an element with attributes and children. Text is never parsed as HTML.
 *  @param attributes true gives an attribute without a value; false and undefined give none. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

/** Creates an element of an SVG, as `h` does for HTML. */
export function s(
  tag: string,
  attributes: Readonly<Record<string, string | number | undefined>> = {},
  ...children: readonly Child[]
): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag) as SVGElement;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

function append(parent: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (child !== null && child !== undefined) parent.append(child as Node | string);
  }
}

/** A section of the page with a heading. The navigation links to it. */
export function section(id: string, title: string, ...children: readonly Child[]): HTMLElement {
  return h('section', { id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), ...children);
}

export interface Column<Row> {
  readonly title: Child;
  readonly cell: (row: Row) => Child;
  /** Numbers are aligned to the right. */
  readonly numeric?: boolean;
  /** How the rows are sorted by this column, if they are. */
  readonly sorted?: 'ascending' | 'descending' | undefined;
}

/** A table in its own scrollable region, so that the page itself never scrolls sideways. The first column contains the
 *  row headers.
 *  @param label accessible name of the table and of the region. @param attributes of each row. */
export function table<Row>(
  label: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  attributes: (row: Row, index: number) => Readonly<Record<string, string | number>> = () => ({}),
): HTMLElement {
  const className = ({ numeric }: Column<Row>) => (numeric ? 'number' : undefined);
  const head = columns.map((column) =>
    h('th', { scope: 'col', class: className(column), 'aria-sort': column.sorted }, column.title),
  );
  const body = rows.map((row, at) =>
    h(
      'tr',
      attributes(row, at),
      columns.map((column, i) =>
        i === 0
          ? h('th', { scope: 'row', class: className(column) }, column.cell(row))
          : h('td', { class: className(column) }, column.cell(row)),
      ),
    ),
  );
  return scrollable(
    label,
    h('table', {}, h('caption', { class: 'hidden' }, label), h('thead', {}, h('tr', {}, head)), h('tbody', {}, body)),
  );
}

/** A region for content that may be wider than the page. It scrolls by touch, wheel or arrow keys. */
export function scrollable(label: string, content: HTMLElement): HTMLElement {
  return h('div', { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': label }, content);
}

/** A titled part of a section. */
export function part(title: string, content: Child): HTMLElement {
  return h('div', { class: 'part' }, h('h3', {}, title), content);
}

export type Entries = readonly (readonly [term: string, value: Child])[];

/** A list of terms and their values, one line each. */
export function definitions(entries: Entries): HTMLElement {
  return h(
    'dl',
    {},
    entries.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value))),
  );
}

/** The beginning of a hash; opens to show all of it. */
export function hash(sha256: string): HTMLElement {
  return h(
    'details',
    { class: 'hash' },
    h('summary', {}, h('code', {}, `${sha256.slice(0, 12)}…`)),
    h('code', {}, sha256),
  );
}

/** A command with a button that copies it. */
export function command(text: string): HTMLElement {
  return h(
    'div',
    { class: 'command' },
    // A line breaks between words only, not after the hyphens of an option.
    h(
      'code',
      {},
      text.split(' ').flatMap((word) => [h('span', {}, word), ' ']),
    ),
    h('button', { type: 'button', class: 'copy', 'data-copy': text }, 'Copy'),
  );
}
