(() => {
  // Removes content for browsers without scripts, and the scripts, which have run.
  const done = 'noscript, script:not([type="application/ld+json"])';
  document.querySelectorAll(done).forEach((element) => element.remove());
  const budget = { nodes: 200000 };
  // Copies a node. Shadow trees replace the children of their hosts, and slotted nodes their slots.
  const copy = (node, depth) => {
    if (--budget.nodes < 0 || depth > 400) return null;
    const result = node.cloneNode(false);
    let children = node.childNodes;
    if (node.shadowRoot) children = node.shadowRoot.childNodes;
    else if (node.localName === 'slot' && node.assignedNodes().length) children = node.assignedNodes();
    else if (node.localName === 'template') return node.cloneNode(true);
    for (const child of children) {
      const part = copy(child, depth + 1);
      if (part) result.appendChild(part);
    }
    return result;
  };
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_ELEMENT);
  let shadow = false;
  while (!shadow && walker.nextNode()) shadow = walker.currentNode.shadowRoot !== null;
  const root = document.documentElement;
  if (!root) return '';
  return '<!DOCTYPE html>' + (shadow ? copy(root, 0) : root).outerHTML.slice(0, LIMIT);
})()
