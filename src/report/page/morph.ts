/** Changes a tree into another one, but keeps the nodes that are in both and with them the focus, scroll positions, opened
 *  <details> and checked boxes.
 *
 *  Children are matched by their id or, without one, by their kind and order. A chart is replaced as a whole, as its pointer
 *  listeners belong to its data.
 *  @param wanted its nodes are moved, so it must not be used afterwards. */
export function morph(node: Element, wanted: Element): void {
  if (node.isEqualNode(wanted)) return;
  if (wanted.classList.contains('plot')) {
    node.replaceWith(wanted);
    return;
  }
  matchAttributes(node, wanted);
  matchChildren(node, wanted);
}

function matchAttributes(node: Element, wanted: Element): void {
  for (const { name } of [...node.attributes]) {
    const isSetByUser = name === 'open' && node.nodeName === 'DETAILS';
    if (!wanted.hasAttribute(name) && !isSetByUser) node.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
}

function matchChildren(node: Element, wanted: Element): void {
  const unmatched = [...node.childNodes];
  const pairs = [...wanted.childNodes].map((child) => {
    const at = unmatched.findIndex((old) => keyOf(old) === keyOf(child));
    return { child, old: at < 0 ? undefined : unmatched.splice(at, 1)[0] };
  });
  for (const old of unmatched) old.remove();
  let next = node.firstChild;
  for (const { child, old } of pairs) {
    if (!old) {
      node.insertBefore(child, next);
      continue;
    }
    if (old === next) next = next.nextSibling;
    else node.insertBefore(old, next);
    if (old instanceof Element) morph(old, child as Element);
    else if (old.nodeValue !== child.nodeValue) old.nodeValue = child.nodeValue;
  }
}

const keyOf = (node: Node): string => (node instanceof Element && node.id ? `#${node.id}` : node.nodeName);
