export type Child = Node | string | null | undefined | readonly Child[];

/** An element with attributes and children. Text stays text: nothing is ever parsed as HTML.
 *  @param attributes left out where false or undefined. */
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

function append(parent: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (child !== null && child !== undefined) parent.append(child as Node | string);
  }
}

/** A section of the page with a heading, which the navigation leads to. */
export function section(id: string, title: string, ...children: readonly Child[]): HTMLElement {
  return h('section', { id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), ...children);
}

export interface Column<Row> {
  readonly title: Child;
  readonly cell: (row: Row) => Child;
  /** Numbers stand at the right. */
  readonly numeric?: boolean;
}

/** A table that scrolls in a region of its own, so that the page never does sideways. The first column heads its row.
 *  @param label what a screen reader calls the table and the region. */
export function table<Row>(label: string, columns: readonly Column<Row>[], rows: readonly Row[]): HTMLElement {
  const className = ({ numeric }: Column<Row>) => (numeric ? 'number' : undefined);
  const head = columns.map((column) => h('th', { scope: 'col', class: className(column) }, column.title));
  const body = rows.map((row) =>
    h(
      'tr',
      {},
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

/** What may be wider than the page: scrolled by finger, wheel or arrow keys. */
export function scrollable(label: string, content: HTMLElement): HTMLElement {
  return h('div', { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': label }, content);
}
