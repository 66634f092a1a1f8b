// What every page needs: its data, arrays unpacked, light and dark, text copied.
//
// pageData()         the object under `data` of the context, read once.
// unpacked(value)    a typed array of what `page.packed` wrote; arrays stay, nested ones are laid out.
// reducedMotion()    whether the reader asked for less motion.
// Buttons with data-copy="ID" copy the text of the element ID.
'use strict';

const pageData = (() => {
  let held;
  return () => (held ??= JSON.parse(document.getElementById('data').textContent));
})();

function unpacked(value) {
  if (Array.isArray(value)) return value.flat(2);
  if (ArrayBuffer.isView(value)) return value;
  const kinds = {
    uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array,
    int32: Int32Array, uint32: Uint32Array, float32: Float32Array,
  };
  const text = atob(value.data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new kinds[value.type](bytes.buffer);
}

function reducedMotion() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

(() => {
  const button = document.getElementById('scheme');
  const prefers = matchMedia('(prefers-color-scheme: dark)');
  const root = document.documentElement;
  const dark = () => (root.dataset.scheme ?? (prefers.matches ? 'dark' : 'light')) === 'dark';
  const show = () => {
    button.setAttribute('aria-pressed', String(dark()));
    document.dispatchEvent(new Event('schemechange'));
  };
  button.hidden = false;
  button.addEventListener('click', () => {
    root.dataset.scheme = dark() ? 'light' : 'dark';
    show();
  });
  prefers.addEventListener('change', show);
  show();
})();

for (const button of document.querySelectorAll('button[data-copy]')) {
  const said = button.textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    const element = document.getElementById(button.dataset.copy);
    let done = false;
    try {
      await navigator.clipboard.writeText(element.textContent);
      done = true;
    } catch {
      // Without permission, or from a file in some browsers: the old way, by the selection.
      getSelection().selectAllChildren(element);
      done = document.execCommand('copy');
    }
    button.textContent = done ? 'Copied' : 'Selected: press Ctrl+C';
    setTimeout(() => { button.textContent = said; }, 2500);
  });
}
