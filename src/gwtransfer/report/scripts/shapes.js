// Two shapes that turn together, and a cross that shows where a place of the first is matched.
//
// In pageData(): pair, two shapes as turning.js takes them; matches, (n, 3) places of the second,
// in its units, one for each point of the first; laid, both on one another, or null.
'use strict';

(() => {
  const data = pageData();
  const canvases = ['first', 'second'].map((id) => document.getElementById(id));
  const shapes = data.pair.map((shape, side) => ({ ...shape, still: side === 1 }));
  const tables = canvases.map((canvas, side) => turning(canvas, shapes[side]));
  const together = document.getElementById('together');

  // Tables turn in groups; a member that only listens hears when its group's view changes.
  const listener = { ask: () => marked(), said() {}, visible: () => false };
  function grouped() {
    if (together.checked) tables[1].follow(tables[0]);
    else tables[1].follow({ group: () => alone(tables[1].group().view) });
    for (const table of tables) table.group().members.add(listener);
  }
  const alone = (view) => ({ view: { ...view }, goes: false, last: 0, members: new Set() });
  together.addEventListener('change', grouped);

  const points = shapes.map((shape) => unpacked(shape.points));
  const matches = unpacked(data.matches);
  const crosses = canvases.map((canvas) => canvas.parentElement.querySelector('.cross'));
  const readout = document.getElementById('readout');
  let chosen = -1;

  // Where a place is seen: across and down in CSS pixels, and how near it is.
  function seen(side, of, at) {
    const canvas = canvases[side], { yaw, pitch, zoom } = tables[side].group().view;
    const { radius } = shapes[side].fit, width = canvas.clientWidth;
    const cy = Math.cos(yaw), sy = Math.sin(yaw), cp = Math.cos(pitch), sp = Math.sin(pitch);
    const x = of[3 * at], y = of[3 * at + 1], z = of[3 * at + 2];
    const across = cy * x + sy * z, away = -sy * x + cy * z, scale = 0.46 * width * zoom / radius;
    return [width / 2 + scale * across, width / 2 - scale * (cp * y - sp * away),
      (sp * y + cp * away) / radius];
  }

  // The foremost point of the first shape within `reach` of a place on its canvas.
  function picked(x, y, reach) {
    let best = -1, nearest = -Infinity;
    for (let i = 0; 3 * i < points[0].length; i++) {
      const [px, py, near] = seen(0, points[0], i);
      const apart = Math.hypot(px - x, py - y);
      if (apart > reach) continue;
      const worth = near - 0.02 * apart;
      if (worth > nearest) { nearest = worth; best = i; }
    }
    return best;
  }

  function behind(x, y, near) {
    for (let i = 0; 3 * i < points[1].length; i++) {
      const [px, py, other] = seen(1, points[1], i);
      if (other > near + 0.12 && Math.hypot(px - x, py - y) < 7) return true;
    }
    return false;
  }

  function marked() {
    for (const cross of crosses) cross.hidden = chosen < 0;
    if (chosen < 0) return;
    [points[0], matches].forEach((of, side) => {
      const [x, y, near] = seen(side, of, chosen);
      crosses[side].style.left = `${x}px`;
      crosses[side].style.top = `${y}px`;
      if (side === 1) crosses[1].classList.toggle('behind', behind(x, y, near));
    });
  }

  function choose(event) {
    const box = canvases[0].getBoundingClientRect();
    show(picked(event.clientX - box.left, event.clientY - box.top, 12));
  }

  function show(point) {
    chosen = point;
    marked();
    const hidden = chosen >= 0 && crosses[1].classList.contains('behind');
    readout.textContent = chosen < 0 ? readout.dataset.begin
      : hidden ? 'Its match lies on the far side: turn to see it.'
        : 'The crosses mark one place and its match.';
  }
  canvases[0].addEventListener('pointermove', (event) => {
    if (event.pointerType === 'mouse' && event.buttons === 0) choose(event);
  });
  canvases[0].addEventListener('click', choose);
  canvases[0].addEventListener('keydown', (event) => {
    const { clientWidth: width, clientHeight: height } = canvases[0];
    if (event.key === 'Enter') show(picked(width / 2, height / 2, width / 8));
    else if (event.key === 'Escape') show(-1);
  });
  canvases[0].addEventListener('pointerleave', (event) => {
    if (event.pointerType === 'mouse') { chosen = -1; marked(); }
  });
  new ResizeObserver(marked).observe(canvases[0]);

  grouped();

  const laid = document.getElementById('laid');
  if (laid && data.laid) turning(laid, { ...data.laid, still: true });
})();
