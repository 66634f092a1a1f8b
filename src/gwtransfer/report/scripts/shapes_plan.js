// Two shapes in parts that turn together; a part that is pointed at in the diagram keeps its colour
// with the parts it goes to, and all others turn gray.
//
// In pageData(): pair, two shapes as turning.js takes them; owners, the part of each of their faces
// or points; coupling, the share of each source part that goes to each target part.
'use strict';

(() => {
  const data = pageData();
  const tables = ['first', 'second'].map((id, side) => turning(document.getElementById(id),
    { ...data.pair[side], still: side === 1 }));
  tables[1].follow(tables[0]);
  const LEAST = 0.05, GRAY = [138, 138, 138];
  const original = data.pair.map((shape) => unpacked(shape.colours));
  // The colour of each part: that of the first face or point it owns.
  const paints = data.pair.map((shape, side) => {
    const corners = shape.faces ? unpacked(shape.faces) : null, found = new Map();
    data.owners[side].forEach((part, at) => {
      const point = 3 * (corners ? corners[3 * at] : at);
      if (!found.has(part)) found.set(part, [...original[side].slice(point, point + 3)]);
    });
    return found;
  });
  const nodes = [...document.querySelectorAll('.node')];
  const ribbons = [...document.querySelectorAll('.ribbon')];
  let kept = null;

  function light(node) {
    const side = node && (node.dataset.side === 'source' ? 0 : 1);
    const own = node && Number(node.dataset.index);
    const goes = (from, to) => data.coupling[from][to] >= LEAST;
    const shown = (here, part) => (here === side ? part === own
      : here === 1 ? goes(own, part) : goes(part, own));
    tables.forEach((table, here) => table.recolour(!node ? original[here]
      : data.owners[here].map((part) => (shown(here, part) ? paints[here].get(part) : GRAY))));
    for (const ribbon of ribbons) {
      ribbon.classList.toggle('dim', Boolean(node)
        && Number(side === 0 ? ribbon.dataset.source : ribbon.dataset.target) !== own);
    }
    for (const one of nodes) one.setAttribute('aria-pressed', String(one === kept));
  }
  for (const node of nodes) {
    node.addEventListener('pointerenter', (event) => {
      if (event.pointerType === 'mouse') light(node);
    });
    node.addEventListener('pointerleave', (event) => {
      if (event.pointerType === 'mouse') light(kept);
    });
    node.addEventListener('click', () => { kept = kept === node ? null : node; light(kept); });
    node.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      kept = kept === node ? null : node;
      light(kept);
    });
  }
})();
