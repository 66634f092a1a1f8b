// Distances that answer: a map whose files name their nearest, a heat map whose cells name their
// pair, a list that finds names, and a table of one file.
//
// In pageData(): rows, columns, names; order, the rows as they are shown; distances, packed row by
// row, times `step` where that is no null; pictured, which have a small picture of the page.
'use strict';

(() => {
  const data = pageData();
  const width = data.columns.length;
  const held = data.distances && unpacked(data.distances);
  const apart = (row, column) => held[row * width + column] * (data.step ?? 1);
  const said = (value) => Number(value.toPrecision(4)).toString();
  const letter = data.itself ? 'r' : 'c';
  const SVG = 'http://www.w3.org/2000/svg';

  function picture(kind, place) {
    if (!data.pictured[kind].includes(place)) return [];
    const frame = document.createElementNS(SVG, 'svg'), use = document.createElementNS(SVG, 'use');
    frame.setAttribute('viewBox', '0 0 88 88');
    frame.setAttribute('class', 'thumb');
    frame.setAttribute('aria-hidden', 'true');
    use.setAttribute('href', `#${kind}${place}`);
    frame.append(use);
    return [frame];
  }

  function bold(text) {
    const element = document.createElement('strong');
    element.textContent = text;
    return element;
  }

  function ranked(row) {
    const others = data.columns.map((_, column) => column);
    return others.filter((column) => !data.itself || column !== row)
      .sort((one, other) => apart(row, one) - apart(row, other));
  }

  // The map.
  const map = document.getElementById('map');
  if (map && held) {
    const spots = [...map.querySelectorAll('.spot')];
    const readout = document.getElementById('map-readout');
    const lines = document.getElementById('lines');
    const centre = (place) => {
      const circle = spots[place].querySelector('circle');
      return [circle.getAttribute('cx'), circle.getAttribute('cy')];
    };
    let chosen = -1;
    const choose = (place) => {
      if (place === chosen) return;
      chosen = place;
      const near = ranked(place).slice(0, 3);
      spots.forEach((spot, other) => {
        spot.classList.toggle('chosen', other === place);
        spot.classList.toggle('friend', near.includes(other));
      });
      lines.replaceChildren(...near.map((other) => {
        const line = document.createElementNS(SVG, 'line');
        const [[x1, y1], [x2, y2]] = [centre(place), centre(other)];
        const ends = Object.entries({ x1, y1, x2, y2 });
        for (const [key, value] of ends) line.setAttribute(key, value);
        return line;
      }));
      const parts = near.flatMap((other, rank) => [
        `${rank ? ', ' : ' nearest: '}${data.columns[other]} (${said(apart(place, other))})`,
      ]);
      readout.replaceChildren(...picture('r', place), bold(data.rows[place]), parts.join(''));
    };
    const nearestTo = (event) => {
      const box = map.getBoundingClientRect(), scale = map.viewBox.baseVal.width / box.width;
      const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
      const gaps = spots.map((_, place) => {
        const [cx, cy] = centre(place);
        return Math.hypot(cx - x, cy - y);
      });
      const best = gaps.indexOf(Math.min(...gaps));
      return gaps[best] < 60 * Math.max(1, scale / 2) ? best : -1;
    };
    const point = (event) => { const place = nearestTo(event); if (place >= 0) choose(place); };
    map.addEventListener('pointermove', (event) => {
      if (event.pointerType === 'mouse') point(event);
    });
    map.addEventListener('click', point);
    map.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const count = data.order.length, at = data.order.indexOf(chosen);
      choose(data.order[chosen < 0 ? 0 : (at + step + count) % count]);
    });
  }

  // The heat map.
  const STOPS = [[12, 24, 66], [28, 78, 146], [58, 142, 178], [150, 205, 190], [250, 246, 214]];
  function tint(part) {
    const at = Math.min(0.9999, Math.max(0, part)) * (STOPS.length - 1), low = Math.floor(at);
    return STOPS[low].map((value, i) => value + (STOPS[low + 1][i] - value) * (at - low));
  }

  const cells = document.getElementById('cells');
  if (cells && held) {
    const across = data.itself ? data.order : data.columns.map((_, column) => column);
    cells.width = across.length;
    cells.height = data.order.length;
    const wide = across.length / data.order.length;
    cells.style.aspectRatio = String(Math.min(6, Math.max(1 / 3, wide)));
    const context = cells.getContext('2d');
    const image = context.createImageData(cells.width, cells.height);
    data.order.forEach((row, y) => across.forEach((column, x) => {
      image.data.set([...tint(apart(row, column) / (data.most || 1)), 255],
        4 * (y * cells.width + x));
    }));
    context.putImageData(image, 0, 0);

    const readout = document.getElementById('heat-readout');
    const cursor = document.getElementById('cursor');
    let at = [-1, -1];
    const show = (x, y) => {
      if (x === at[0] && y === at[1]) return;
      at = [x, y];
      const row = data.order[y], column = across[x];
      const box = [cells.clientWidth / cells.width, cells.clientHeight / cells.height];
      cursor.hidden = false;
      cursor.style.left = `${cells.clientLeft + x * box[0]}px`;
      cursor.style.top = `${cells.clientTop + y * box[1]}px`;
      cursor.style.width = `${Math.max(2, box[0] - 2)}px`;
      cursor.style.height = `${Math.max(2, box[1] - 2)}px`;
      readout.replaceChildren(...picture('r', row), bold(data.rows[row]), ' and ',
        ...picture(letter, column), bold(data.columns[column]),
        data.itself && row === column ? ' are one file: 0'
          : ` are ${said(apart(row, column))} apart`);
    };
    const point = (event) => {
      const box = cells.getBoundingClientRect();
      const across = (event.clientX - box.left - cells.clientLeft) / cells.clientWidth;
      const down = (event.clientY - box.top - cells.clientTop) / cells.clientHeight;
      const x = Math.floor(across * cells.width), y = Math.floor(down * cells.height);
      if (x >= 0 && y >= 0 && x < cells.width && y < cells.height) show(x, y);
    };
    cells.addEventListener('pointermove', point);
    cells.addEventListener('click', point);
    cells.addEventListener('keydown', (event) => {
      const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1],
        ArrowUp: [0, -1] }[event.key];
      if (!step) return;
      event.preventDefault();
      const kept = (value, count) => Math.min(count - 1, Math.max(0, value));
      if (at[0] < 0) show(0, 0);
      else show(kept(at[0] + step[0], cells.width), kept(at[1] + step[1], cells.height));
    });

    const ramp = document.getElementById('ramp').getContext('2d');
    for (let x = 0; x < 256; x++) {
      ramp.fillStyle = `rgb(${tint(x / 255).map(Math.round).join(' ')})`;
      ramp.fillRect(x, 0, 1, 1);
    }
    document.getElementById('most').textContent = said(data.most);
  }

  // The list of the nearest.
  const find = document.getElementById('find');
  find.addEventListener('input', () => {
    const wanted = find.value.trim().toLowerCase();
    for (const row of document.querySelectorAll('.near')) {
      row.hidden = !row.dataset.name.includes(wanted);
    }
  });

  // The table of one file.
  const one = document.getElementById('one');
  if (one && held) {
    one.hidden = false;
    const which = document.getElementById('which'), body = document.getElementById('ranked');
    const fill = () => {
      const row = Number(which.value);
      body.replaceChildren(...ranked(row).map((column) => {
        const line = document.createElement('tr');
        const name = line.insertCell(), value = line.insertCell();
        name.textContent = data.columns[column];
        value.textContent = said(apart(row, column));
        value.className = 'number';
        return line;
      }));
    };
    which.addEventListener('change', fill);
    fill();
  }
})();
