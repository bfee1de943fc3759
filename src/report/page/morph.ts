/** Brings a tree into the state of another one, and keeps every node that is in both: with the node stay the focus, the
 *  place in a scrolled region, an opened <details> and a ticked box.
 *
 *  Children are told apart by their id or, without one, by their order. A chart is replaced as a whole, as what it does
 *  under the pointer belongs to its data.
 *  @param wanted is used up. */
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
    const isUsers = name === 'open' && node.nodeName === 'DETAILS';
    if (!wanted.hasAttribute(name) && !isUsers) node.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
}

function matchChildren(node: Element, wanted: Element): void {
  const left = [...node.childNodes];
  const pairs = [...wanted.childNodes].map((child) => {
    const at = left.findIndex((old) => nameOf(old) === nameOf(child));
    return { child, old: at < 0 ? undefined : left.splice(at, 1)[0] };
  });
  for (const old of left) old.remove();
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

const nameOf = (node: Node): string => (node instanceof Element && node.id ? `#${node.id}` : node.nodeName);
