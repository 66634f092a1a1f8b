// A turntable for point clouds and triangle meshes on a plain canvas.
//
//   const table = turning(canvas, {
//     points,    // (n, 3): packed float32 or int16 (any scale), or nested arrays; y is up
//     colours,   // (n, 3) a point or (f, 3) a face: packed uint8, or nested arrays, 0 to 255
//     faces,     // (f, 3), optional: packed uint16, int32 or uint32, or nested arrays
//     size,      // optional: diameter of a point, in thousandths of the canvas (default 9)
//     axes,      // optional: [{to: [x, y, z], label: 'a'}], drawn from the origin of the points
//     fit,       // optional: {middle: [x, y, z], radius}: what fills the canvas; tables with one
//                // fit show one scale (default: all points)
//     yaw, pitch // optional: where it begins, in radians (default 0.6 and 0.35)
//     still      // optional: true begins without turning
//   });
//   table.recolour(colours)   other colours of the same length, or of the other kind
//   table.only(shown)         show points (or faces) whose entry of an array is true; null: all
//   table.follow(other)       turn and zoom with another table, and it with this one
//   table.stop(), table.go()  the slow turning
//
// Drag or touch turns, two fingers or + and - zoom, arrow keys turn, double click or 0 resets,
// space stops and goes. It turns slowly until it is touched; never out of sight, and not where the
// reader asked for less motion. A canvas needs an aria-label; what stands inside its element is the
// text for those who see no canvas. Everything is drawn by hand into pixels with a depth buffer, so
// browsers agree, at twice the canvas's size or more, so edges are smooth. 6000 faces or 8000
// points take a few milliseconds.
'use strict';

function turning(canvas, shape) {
  const SLOW = 0.25;                     // radians a second
  const MOST = 1000;                     // pixels a side that are drawn at most
  const points = unpacked(shape.points);
  const faces = shape.faces ? unpacked(shape.faces) : null;
  const count = points.length / 3;
  let colours = unpacked(shape.colours);
  let shown = null;
  const fit = shape.fit ?? fitted(points);
  const begin = { yaw: shape.yaw ?? 0.6, pitch: shape.pitch ?? 0.35, zoom: 1 };
  let visible = true, asked = false;
  // Tables that turn together share one group: where they are turned to, and whether they go.
  let group = { view: { ...begin }, goes: false, last: 0, members: new Set() };

  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'img');
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'quiet';
  canvas.insertAdjacentElement('afterend', button);
  const name = canvas.getAttribute('aria-label') ?? 'the picture';

  let side = 0, image = null, depth = null, back = null;
  const turned = new Float32Array(points.length);

  function sized() {
    const css = canvas.clientWidth;
    const scale = Math.max(2, window.devicePixelRatio || 1);
    const wanted = Math.max(2, Math.min(MOST, Math.round(css * scale)));
    if (wanted === side) return;
    side = wanted;
    canvas.width = canvas.height = side;
    back = canvas.getContext('2d');
    image = back.createImageData(side, side);
    depth = new Float32Array(side * side);
  }

  function draw() {
    asked = false;
    if (!visible || canvas.clientWidth === 0) return;
    sized();
    const { yaw, pitch, zoom } = group.view;
    const cy = Math.cos(yaw), sy = Math.sin(yaw), cp = Math.cos(pitch), sp = Math.sin(pitch);
    const scale = 0.46 * side * zoom / fit.radius, half = side / 2;
    const [mx, my, mz] = fit.middle;
    for (let i = 0; i < points.length; i += 3) {
      const x = points[i] - mx, y = points[i + 1] - my, z = points[i + 2] - mz;
      const across = cy * x + sy * z, away = -sy * x + cy * z;
      turned[i] = half + scale * across;
      turned[i + 1] = half - scale * (cp * y - sp * away);
      turned[i + 2] = (sp * y + cp * away) / fit.radius;      // larger is nearer
    }
    depth.fill(-Infinity);
    image.data.fill(0);
    if (faces) drawFaces(); else drawPoints();
    back.putImageData(image, 0, 0);
    drawAxes(cy, sy, cp, sp, scale, half);
  }

  function drawPoints() {
    const pixels = image.data;
    const reach = Math.max(1, (shape.size ?? 9) / 2000 * side * Math.sqrt(group.view.zoom));
    const most = Math.ceil(reach), square = reach * reach;
    for (let k = 0; k < count; k++) {
      if (shown && !shown[k]) continue;
      const px = turned[3 * k], py = turned[3 * k + 1], near = turned[3 * k + 2];
      const x0 = Math.round(px), y0 = Math.round(py);
      const light = 0.8 + 0.2 * Math.min(1, Math.max(-1, near));
      const r = colours[3 * k], g = colours[3 * k + 1], b = colours[3 * k + 2];
      for (let dy = -most; dy <= most; dy++) {
        const y = y0 + dy;
        if (y < 0 || y >= side) continue;
        for (let dx = -most; dx <= most; dx++) {
          const x = x0 + dx, apart = dx * dx + dy * dy;
          if (apart > square || x < 0 || x >= side) continue;
          const at = y * side + x;
          if (near <= depth[at]) continue;
          depth[at] = near;
          // A rim a little darker keeps neighbours of one colour apart.
          const edge = apart > 0.5 * square ? 0.86 : 1;
          pixels[4 * at] = r * edge;
          pixels[4 * at + 1] = g * edge;
          pixels[4 * at + 2] = b * edge;
          pixels[4 * at + 3] = 255 * light;
        }
      }
    }
  }

  function drawFaces() {
    const pixels = image.data;
    const own = colours.length === faces.length && colours.length !== points.length;
    for (let f = 0; f < faces.length; f += 3) {
      if (shown && !shown[f / 3]) continue;
      const a = 3 * faces[f], b = 3 * faces[f + 1], c = 3 * faces[f + 2];
      const ax = turned[a], ay = turned[a + 1], az = turned[a + 2];
      const bx = turned[b], by = turned[b + 1], bz = turned[b + 2];
      const cx = turned[c], cy = turned[c + 1], cz = turned[c + 2];
      const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
      if (area === 0) continue;
      // The light is at the reader's shoulder; both sides of a face are lit.
      const r = 0.46 * side * group.view.zoom;
      const nx = ((by - ay) * (cz - az) - (bz - az) * (cy - ay)) * r;
      const ny = ((bz - az) * (cx - ax) - (bx - ax) * (cz - az)) * r;
      const size = Math.hypot(nx, ny, area);
      const facing = area < 0 ? -1 : 1;
      const lit = facing * (0.92 * area - 0.2 * nx - 0.33 * ny) / size;
      const light = 0.42 + 0.58 * Math.min(1, Math.max(0, lit));
      const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5));
      const right = Math.min(side - 1, Math.floor(Math.max(ax, bx, cx) + 0.5));
      const top = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5));
      const bottom = Math.min(side - 1, Math.floor(Math.max(ay, by, cy) + 0.5));
      for (let y = top; y <= bottom; y++) {
        for (let x = left; x <= right; x++) {
          const u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area;
          const v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area;
          const w = 1 - u - v;
          if (u < -1e-6 || v < -1e-6 || w < -1e-6) continue;
          const near = u * az + v * bz + w * cz, at = y * side + x;
          if (near <= depth[at]) continue;
          depth[at] = near;
          for (let i = 0; i < 3; i++) {
            const colour = own ? colours[f + i]
              : u * colours[a + i] + v * colours[b + i] + w * colours[c + i];
            pixels[4 * at + i] = colour * light;
          }
          pixels[4 * at + 3] = 255;
        }
      }
    }
  }

  function drawAxes(cy, sy, cp, sp, scale, half) {
    if (!shape.axes) return;
    const style = getComputedStyle(canvas);
    back.strokeStyle = back.fillStyle = style.color;
    back.lineWidth = side / 400;
    back.font = `${Math.round(side / 24)}px ${style.fontFamily}`;
    const place = ([x, y, z]) => {
      const [dx, dy, dz] = [x - fit.middle[0], y - fit.middle[1], z - fit.middle[2]];
      const across = cy * dx + sy * dz, away = -sy * dx + cy * dz;
      return [half + scale * across, half - scale * (cp * dy - sp * away)];
    };
    for (const axis of shape.axes) {
      const from = place(axis.from ?? [0, 0, 0]), to = place(axis.to);
      back.globalAlpha = 0.55;
      back.beginPath();
      back.moveTo(...from);
      back.lineTo(...to);
      back.stroke();
      back.globalAlpha = 1;
      if (axis.label) back.fillText(axis.label, to[0] + side / 100, to[1] - side / 100);
    }
  }

  function ask() {
    if (!asked) { asked = true; requestAnimationFrame(draw); }
  }

  function put(next) {
    group.view = {
      yaw: next.yaw,
      pitch: Math.min(Math.PI / 2, Math.max(-Math.PI / 2, next.pitch)),
      zoom: Math.min(8, Math.max(0.4, next.zoom)),
    };
    for (const one of group.members) one.ask();
  }

  function moved(yaw, pitch, zoom) {
    const { view } = group;
    put({ yaw: view.yaw + yaw, pitch: view.pitch + pitch, zoom: view.zoom * zoom });
  }

  function go() {
    if (group.goes) return;
    const turns = group;
    turns.goes = true;
    turns.last = performance.now();
    for (const one of turns.members) one.said();
    const frame = (now) => {
      if (!turns.goes) return;
      const passed = Math.min(0.1, Math.max(0, (now - turns.last) / 1000));
      turns.last = now;
      if (!document.hidden && [...turns.members].some((one) => one.visible())) {
        turns.view = { ...turns.view, yaw: turns.view.yaw + SLOW * passed };
        for (const one of turns.members) one.ask();
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  function stop() {
    group.goes = false;
    for (const one of group.members) one.said();
  }

  function said() {
    button.textContent = group.goes ? 'Stop' : 'Turn';
    button.setAttribute('aria-label', `${group.goes ? 'Stop' : 'Turn'} ${name}`);
  }

  const held = new Map();
  canvas.addEventListener('pointerdown', (event) => {
    stop();
    held.set(event.pointerId, [event.clientX, event.clientY]);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const other = [...held.entries()].find(([id]) => id !== event.pointerId)?.[1];
    held.set(event.pointerId, now);
    if (other) {
      const gap = (one) => Math.max(1, Math.hypot(one[0] - other[0], one[1] - other[1]));
      moved(0, 0, gap(now) / gap(before));
    } else {
      const speed = 4 / canvas.clientWidth;
      moved(speed * (now[0] - before[0]), speed * (now[1] - before[1]), 1);
    }
  });
  for (const kind of ['pointerup', 'pointercancel']) {
    canvas.addEventListener(kind, (event) => held.delete(event.pointerId));
  }
  canvas.addEventListener('dblclick', () => { stop(); put(begin); });
  canvas.addEventListener('keydown', (event) => {
    const turns = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, -0.15],
      ArrowDown: [0, 0.15] };
    const zooms = { '+': 1.15, '=': 1.15, '-': 1 / 1.15 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in turns) {
      const [yaw, pitch] = turns[event.key];
      moved(yaw, pitch, 1);
    } else if (event.key in zooms) moved(0, 0, zooms[event.key]);
    else if (event.key === '0') put(begin);
    else if (event.key === ' ' && !group.goes) { go(); event.preventDefault(); return; }
    else if (event.key !== ' ') return;
    event.preventDefault();
    stop();
  });
  button.addEventListener('click', () => { if (group.goes) stop(); else go(); });

  new IntersectionObserver((entries) => {
    visible = entries[entries.length - 1].isIntersecting;
    if (visible) ask();
  }).observe(canvas);
  new ResizeObserver(ask).observe(canvas);
  document.addEventListener('schemechange', ask);

  const table = {
    put, stop, go, ask, said,
    visible: () => visible,
    group: () => group,
    recolour(next) { colours = unpacked(next); ask(); },
    only(next) { shown = next; ask(); },
    follow(other) {
      stop();
      group.members.delete(table);
      group = other.group();
      group.members.add(table);
      said();
      ask();
    },
  };
  group.members.add(table);
  said();
  ask();
  if (!shape.still && !reducedMotion()) go();
  return table;

  function fitted(of) {
    const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
    for (let i = 0; i < of.length; i++) {
      low[i % 3] = Math.min(low[i % 3], of[i]);
      high[i % 3] = Math.max(high[i % 3], of[i]);
    }
    const middle = low.map((value, i) => (value + high[i]) / 2);
    let radius = 0;
    for (let i = 0; i < of.length; i += 3) {
      radius = Math.max(radius,
        Math.hypot(of[i] - middle[0], of[i + 1] - middle[1], of[i + 2] - middle[2]));
    }
    return { middle, radius: radius || 1 };
  }
}
