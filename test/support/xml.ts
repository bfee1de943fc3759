/** An element of an XML document. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** The text directly in it. */
  readonly text: string;
}

const ENTITY = /&(?:#(\d+)|(amp|lt|gt|quot|apos));/g;
const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const TOKEN = /<\?[^?]*\?>|<(\/?)([\w:-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;

/** The root of a document. @throws Error if it is not well formed. It knows no comments, CDATA and document types. */
export function parseXml(xml: string): Element {
  type Open = { name: string; attributes: Record<string, string>; children: Open[]; text: string };
  const top: Open = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  let end = 0;
  for (const [token, closing, name, attributes, empty, text] of xml.matchAll(TOKEN)) {
    end += token.length;
    const parent = open.at(-1)!;
    if (text !== undefined) parent.text += decode(text);
    else if (closing) {
      if (open.pop()!.name !== name || attributes) throw new Error(`</${name}> closes <${parent.name}>`);
    } else if (name) {
      const pairs = [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, key, value]) => [key, decode(value)]);
      const element = { name, attributes: Object.fromEntries(pairs), children: [], text: '' };
      if (pairs.length !== Object.keys(element.attributes).length) throw new Error(`an attribute twice in ${token}`);
      parent.children.push(element);
      if (!empty) open.push(element);
    }
  }
  if (end !== xml.length) throw new Error(`not well formed: ${xml.slice(end, end + 60)}`);
  if (open.length !== 1 || top.children.length !== 1 || top.text.trim()) throw new Error('not one whole element');
  return top.children[0];
}

function decode(text: string): string {
  if (text.replace(ENTITY, '').includes('&')) throw new Error(`a bare & in: ${text}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no such characters.
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text)) throw new Error(`a forbidden character in: ${text}`);
  return text.replace(ENTITY, (_, code, name) => (code ? String.fromCodePoint(Number(code)) : NAMED[name]));
}

/** All elements below, in the order of the document, with the element itself. */
export function descendants(element: Element): Element[] {
  return [element, ...element.children.flatMap(descendants)];
}
