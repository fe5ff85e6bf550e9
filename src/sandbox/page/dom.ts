/** Part of the page's script: making elements, and talking to the control API. */
export const DOM: string = String.raw`
const $ = (id) => document.getElementById(id);
const key = new URLSearchParams(location.hash.slice(1)).get('key') || '';

// Text reaches the page through textContent alone, so that a contact named like markup stays text.
function el(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}
function button(className, text, act) {
  const node = el('button', className, text);
  node.type = 'button';
  node.addEventListener('click', act);
  return node;
}
function time(ms) {
  const date = new Date(ms);
  return date.toLocaleTimeString([], { hour12: false }) + '.' + String(date.getMilliseconds()).padStart(3, '0');
}
// Text that may be broken before a mark, rather than anywhere.
function breakable(node, text, mark) {
  const at = text.indexOf(mark);
  if (at > 0) node.append(text.slice(0, at), el('wbr'), text.slice(at));
  else node.append(text);
  return node;
}
function show(value) { return typeof value === 'string' ? value : JSON.stringify(value); }
function addChips(cell, values) {
  for (const [name, value] of Object.entries(values)) {
    const chip = el('span', 'chip');
    chip.append(el('em', '', name), show(value));
    cell.append(chip);
  }
}
// Every other part of the page is told apart by color too, so each destination has its own: by its place in the list.
function badge(destination) {
  const node = el('span', 'dest', destination);
  node.dataset.hue = String(Math.max(0, destinations.findIndex((one) => one.id === destination)) % 6);
  return node;
}
// Whole numbers too large for a double are shown digit for digit where the browser tells their source text.
function exact(name, value, context) {
  const source = typeof value === 'number' && !Number.isSafeInteger(value) && context ? context.source : undefined;
  return source !== undefined && /^-?\d+$/.test(source) ? source : value;
}
async function control(method, path, body) {
  const answer = await fetch('/_sandbox/' + path, {
    method,
    headers: { Authorization: 'Bearer ' + key },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  const value = text === '' ? null : JSON.parse(text, exact);
  if (!answer.ok) throw new Error(value && value.error ? value.error.message + (value.error.hint ? ' ' + value.error.hint : '') : 'HTTP ' + answer.status);
  return value;
}
function say(text, bad) {
  $('said').className = bad ? 'bad' : '';
  $('said').textContent = text;
}
// Runs what a button does; what goes wrong is said rather than lost.
function attempt(act) {
  return () => Promise.resolve().then(act).catch((error) => say(error.message, true));
}
`;
