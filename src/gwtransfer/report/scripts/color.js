// The colour report: the line between before and after, swatches that light up their pixels, and
// the clouds.
'use strict';

// A picture stands in the page once; where it is shown again, it is taken from there.
for (const image of document.querySelectorAll('img[data-as]')) {
  image.src = document.getElementById(image.dataset.as).src;
}

(() => {
  const frame = document.getElementById('compare');
  const handle = document.getElementById('handle');
  if (!frame || !handle) return;
  let at = 50;
  const put = (share) => {
    at = Math.min(100, Math.max(0, share));
    const shown = Math.round(at);
    frame.style.setProperty('--at', `${at}%`);
    handle.setAttribute('aria-valuenow', String(shown));
    handle.setAttribute('aria-valuetext', `${shown} % source, ${100 - shown} % result`);
  };
  const follow = (event) => {
    const box = frame.getBoundingClientRect();
    put(100 * (event.clientX - box.left) / box.width);
  };
  frame.addEventListener('pointerdown', (event) => {
    if (event.button > 0) return;
    frame.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    follow(event);
  });
  // The press would take the focus away again.
  frame.addEventListener('mousedown', (event) => event.preventDefault());
  frame.addEventListener('pointermove', (event) => {
    if (frame.hasPointerCapture(event.pointerId)) follow(event);
  });
  handle.addEventListener('keydown', (event) => {
    const steps = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -20,
      PageUp: 20 };
    if (event.key in steps) put(at + steps[event.key]);
    else if (event.key === 'Home') put(0);
    else if (event.key === 'End') put(100);
    else return;
    event.preventDefault();
  });
  const before = document.getElementById('before');
  const buttons = document.querySelectorAll('button[data-before]');
  for (const button of buttons) {
    button.hidden = false;
    button.addEventListener('click', () => {
      before.src = document.getElementById(button.dataset.before).src;
      for (const one of buttons) one.setAttribute('aria-pressed', String(one === button));
    });
  }
})();

(() => {
  const { coupling: held, lightness, names, places } = pageData();
  const coupling = held.map((pairs) => {
    const row = names.target.map(() => 0);
    for (const [column, mass] of pairs) row[column] = mass;
    return row;
  });
  const VEIL = 0.72;                      // how much of a veil lies over what is not lit

  const hidden = (width, height) => Object.assign(document.createElement('canvas'),
    { width, height });

  // A canvas that shows a picture, and lights some of its pixels by how much each counts.
  function map(canvas, image, place, lights) {
    if (!canvas || !image || !place) return null;
    const labels = unpacked(place.labels);
    const scale = Math.max(1, Math.min(4, Math.ceil(640 / Math.max(place.columns, place.rows))));
    canvas.width = place.columns * scale;
    canvas.height = place.rows * scale;
    canvas.style.aspectRatio = `${place.columns} / ${place.rows}`;
    const paint = canvas.getContext('2d');
    const mask = hidden(place.columns, place.rows);
    const lit = hidden(canvas.width, canvas.height);
    const draw = (shares) => {
      paint.globalAlpha = 1;
      paint.clearRect(0, 0, canvas.width, canvas.height);
      if (!shares) {
        paint.drawImage(image, 0, 0, canvas.width, canvas.height);
        return;
      }
      paint.drawImage(image, 0, 0, canvas.width, canvas.height);
      // Dark groups before a light veil, light ones before a dark one.
      const sum = shares.reduce((all, share) => all + share, 0);
      const light = lights.reduce((all, one, i) => all + one * shares[i], 0) / Math.max(sum, 1e-9);
      paint.fillStyle = light > 0.55 ? '#161616' : '#f4f4f4';
      paint.globalCompositeOperation = 'saturation';
      paint.fillRect(0, 0, canvas.width, canvas.height);
      paint.globalCompositeOperation = 'source-over';
      paint.globalAlpha = VEIL;
      paint.fillRect(0, 0, canvas.width, canvas.height);
      paint.globalAlpha = 1;
      const pen = mask.getContext('2d');
      const held = pen.createImageData(place.columns, place.rows);
      for (let i = 0; i < labels.length; i++) {
        held.data[4 * i + 3] = labels[i] < place.count ? 255 * shares[labels[i]] : 0;
      }
      pen.putImageData(held, 0, 0);
      const brush = lit.getContext('2d');
      brush.globalCompositeOperation = 'source-over';
      brush.clearRect(0, 0, lit.width, lit.height);
      brush.drawImage(image, 0, 0, lit.width, lit.height);
      brush.globalCompositeOperation = 'destination-in';
      brush.imageSmoothingEnabled = false;
      brush.drawImage(mask, 0, 0, lit.width, lit.height);
      paint.drawImage(lit, 0, 0);
    };
    image.decode().then(() => draw(null), () => draw(null));
    return { draw, at: (x, y) => labels[Math.floor(y * place.rows) * place.columns
      + Math.floor(x * place.columns)] };
  }

  const element = (id) => document.getElementById(id);
  const where = map(element('where'), element('after') ?? element('before'), places.source,
    lightness.source);
  const palette = map(element('where-palette'), element('palette'), places.target,
    lightness.target);
  const flow = document.querySelector('.flow');
  const nodes = [...document.querySelectorAll('[data-side][data-index]')];
  const ribbons = [...document.querySelectorAll('.ribbon')];
  const said = element('chosen');
  const idle = said?.textContent;
  let kept = null;

  function shares(weights) {
    const most = Math.max(...weights);
    return weights.map((weight) => (most > 0 ? weight / most : 0));
  }

  // As shares.py has it.
  const percent = (share) => {
    if (share < 0.001) return '<\u00a00.1\u00a0%';
    const nearly = share >= 0.995 && share < 1 - 1e-6;
    if (nearly && share > 0.999) return '>\u00a099.9\u00a0%';
    return `${(100 * share).toFixed(share < 0.0995 || nearly ? 1 : 0)}\u00a0%`;
  };

  // What a group became, or what became it, the largest shares first.
  function words({ side, index }) {
    const masses = side === 'source' ? coupling[index] : coupling.map((row) => row[index]);
    const others = names[side === 'source' ? 'target' : 'source'];
    const told = masses.map((mass, other) => [mass, others[other]])
      .filter(([mass]) => mass > 1e-6).sort((one, other) => other[0] - one[0]);
    const all = masses.reduce((sum, mass) => sum + mass, 0);
    const most = told.slice(0, 5).map(([mass, name]) => `${name} (${percent(mass)})`).join(', ');
    const rest = told.length > 5 ? ` and ${told.length - 5} more` : '';
    return side === 'source'
      ? `Source group ${names.source[index]}, ${percent(all)} of the picture, became ${most}${rest}.`
      : `Palette group ${names.target[index]}, ${percent(all)} of the result, came from source group `
        + `${most}${rest}.`;
  }

  function light(chosen) {
    const is = (side, index) => chosen && chosen.side === side && chosen.index === index;
    const linked = (k, l) => coupling[k][l] > 1e-6;
    for (const node of nodes) {
      const index = Number(node.dataset.index), { side } = node.dataset;
      const near = chosen && chosen.side !== side
        && (side === 'source' ? linked(index, chosen.index) : linked(chosen.index, index));
      const own = Boolean(is(side, index) || (near && node.classList.contains('node')));
      node.classList.toggle('lit', own);
      node.setAttribute('aria-pressed', String(Boolean(kept && is(side, index)
        && kept.side === side && kept.index === index)));
    }
    flow?.classList.toggle('choosing', Boolean(chosen));
    for (const ribbon of ribbons) {
      ribbon.classList.toggle('lit', is('source', Number(ribbon.dataset.source))
        || is('target', Number(ribbon.dataset.target)));
    }
    if (!chosen) {
      where?.draw(null);
      palette?.draw(null);
      if (said) said.textContent = idle;
      return;
    }
    const count = chosen.side === 'source' ? coupling.length : coupling[0].length;
    const one = Array.from({ length: count }, (_, index) => Number(index === chosen.index));
    if (chosen.side === 'source') {
      where?.draw(one);
      palette?.draw(shares(coupling[chosen.index]));
    } else {
      const totals = coupling.map((row) => row.reduce((sum, mass) => sum + mass, 0));
      where?.draw(coupling.map((row, k) => row[chosen.index] / totals[k]));
      palette?.draw(one);
    }
    if (said) said.textContent = words(chosen);
  }

  const of = (node) => ({ side: node.dataset.side, index: Number(node.dataset.index) });
  const same = (one, other) => one && other && one.side === other.side
    && one.index === other.index;
  const keep = (next) => {
    kept = same(kept, next) ? null : next;
    light(kept);
  };
  for (const node of nodes) {
    // A tap is a click alone: it would light first and put out at once otherwise.
    node.addEventListener('pointerenter', (event) => {
      if (event.pointerType === 'mouse') light(of(node));
    });
    node.addEventListener('pointerleave', (event) => {
      if (event.pointerType === 'mouse') light(kept);
    });
    node.addEventListener('focus', () => { if (node.matches(':focus-visible')) light(of(node)); });
    node.addEventListener('blur', () => light(kept));
    node.addEventListener('click', () => keep(of(node)));
    node.addEventListener('keydown', (event) => {
      if (node.tagName === 'BUTTON' || (event.key !== 'Enter' && event.key !== ' ')) return;
      event.preventDefault();
      keep(of(node));
    });
  }
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { kept = null; light(null); }
  });
  for (const [canvas, shown, side] of [[element('where'), where, 'source'],
    [element('where-palette'), palette, 'target']]) {
    canvas?.addEventListener('click', (event) => {
      const box = canvas.getBoundingClientRect();
      const label = shown.at((event.clientX - box.left) / box.width,
        (event.clientY - box.top) / box.height);
      const node = nodes.find((one) => one.dataset.side === side
        && Number(one.dataset.index) === label);
      if (node) keep(of(node)); else { kept = null; light(null); }
    });
  }
})();

(() => {
  let first = null;
  for (const [id, cloud] of Object.entries(pageData().clouds)) {
    const table = turning(document.getElementById(id), cloud);
    if (first) table.follow(first); else first = table;
  }
})();
