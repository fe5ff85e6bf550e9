/** The page's script: follows the stream of changes. */
export const SCRIPT: string = `
'use strict';
const MAX_ROWS = 200;
const $ = (id) => document.getElementById(id);
const key = new URLSearchParams(location.hash.slice(1)).get('key') || '';
const contactRows = new Map();
const totals = { calls: 0, at: 0 };

// Text reaches the page through textContent alone, so that a contact named like markup stays text.
function el(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
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
function statusClass(status) {
  if (status >= 200 && status < 300) return 'pill';
  return status === 429 || (status >= 300 && status < 500) ? 'pill warn' : 'pill bad';
}
function flash(row) {
  row.classList.remove('flash');
  void row.offsetWidth;
  row.classList.add('flash');
}
function matches(row) {
  const wanted = $('filter').value.trim().toLowerCase();
  row.hidden = wanted !== '' && !row.textContent.toLowerCase().includes(wanted);
}
function trim(body) {
  while (body.rows.length > MAX_ROWS) {
    const row = body.rows[body.rows.length - 1];
    if (row.dataset.id) contactRows.delete(row.dataset.id);
    row.remove();
  }
}
function addChips(cell, values) {
  for (const [tag, value] of Object.entries(values)) {
    const chip = el('span', 'chip');
    chip.append(el('em', '', tag), show(value));
    cell.append(chip);
  }
}
function fillContact(row, contact) {
  const chips = el('td', 'fields');
  addChips(chips, contact.attributes);
  const lists = el('td', 'lists');
  for (const name of contact.lists) lists.append(el('span', 'chip', name));
  const status = el('td');
  status.append(el('span', contact.status === 'subscribed' ? 'pill' : 'pill warn', contact.status));
  const times = el('td', 'time', time(contact.createdAt));
  times.append(el('br'), time(contact.updatedAt));
  row.replaceChildren(breakable(el('td', 'mail'), contact.address, '@'), chips, lists, status, times);
}
function contactRow(id) {
  let row = contactRows.get(id);
  if (!row) {
    row = el('tr');
    row.dataset.id = id;
    contactRows.set(id, row);
    $('contacts').prepend(row);
  }
  return row;
}
function applyChange(change) {
  if (change.contact === null) {
    const row = contactRows.get(change.id);
    if (!row) return;
    contactRows.delete(change.id);
    row.className = 'gone';
    setTimeout(() => row.remove(), 4000);
    return;
  }
  const row = contactRow(change.id);
  fillContact(row, change.contact);
  matches(row);
  flash(row);
}
function addCall(call) {
  const row = el('tr');
  const verb = el('td');
  verb.append(el('span', 'verb', call.method));
  const path = breakable(el('td', 'path'), call.path, '%40');
  if (call.fault) path.append(el('i', '', 'fault: ' + call.fault));
  const status = el('td');
  status.append(el('span', statusClass(call.status), call.status === 0 ? 'dropped' : String(call.status)));
  row.append(el('td', 'time', time(call.at)), verb, path, status, el('td', 'num', call.ms.toFixed(1)));
  matches(row);
  $('calls').prepend(row);
}
function addEvent(event) {
  const row = el('tr');
  const params = el('td', 'fields');
  addChips(params, event.properties);
  const what = el('td', 'mail', event.name);
  what.append(breakable(el('span', 'who'), event.address, '@'));
  row.append(el('td', 'time', time(event.at)), what, params);
  matches(row);
  flash(row);
  $('events').prepend(row);
}
function count(byStatus, test) {
  let sum = 0;
  for (const [status, n] of Object.entries(byStatus)) if (test(Number(status))) sum += n;
  return sum;
}
function tile(id, value, hot) {
  $(id).textContent = value.toLocaleString();
  $(id).parentElement.classList.toggle('hot', Boolean(hot && value > 0));
}
function showTotals(news) {
  const by = news.counters.byStatus;
  tile('n-contacts', news.destinations.reduce((sum, one) => sum + one.contacts, 0));
  tile('n-events', news.destinations.reduce((sum, one) => sum + one.events, 0));
  tile('n-calls', news.counters.calls);
  tile('n-ok', count(by, (s) => s >= 200 && s < 300));
  tile('n-client', count(by, (s) => s >= 300 && s < 500 && s !== 429));
  tile('n-limited', count(by, (s) => s === 429));
  tile('n-server', count(by, (s) => s >= 500), true);
  tile('n-dropped', count(by, (s) => s === 0), true);
  totals.calls = news.counters.calls;
  $('no-contacts').hidden = $('contacts').rows.length > 0;
  $('events-part').hidden = $('events').rows.length === 0;
  $('no-calls').hidden = $('calls').rows.length > 0;
}
// Whole numbers too large for a double are shown digit for digit where the browser tells their source text.
function exact(key, value, context) {
  const source = typeof value === 'number' && !Number.isSafeInteger(value) && context ? context.source : undefined;
  return source !== undefined && /^-?\\d+$/.test(source) ? source : value;
}
function applyLine(line) {
  const news = JSON.parse(line, exact);
  if (news.type === 'hello') {
    contactRows.clear();
    $('contacts').replaceChildren();
    $('calls').replaceChildren();
    $('events').replaceChildren();
    totals.at = news.counters.calls;
    for (const contact of news.contacts) fillContact(contactRow(contact.id), contact);
    for (const row of $('contacts').rows) matches(row);
  } else {
    for (const change of news.changes) applyChange(change);
  }
  for (const call of news.calls) addCall(call);
  for (const event of news.events) addEvent(event);
  trim($('contacts'));
  trim($('events'));
  trim($('calls'));
  showTotals(news);
}
function link(state, text) {
  $('link').className = state;
  $('link').textContent = text;
}
async function follow() {
  const answer = await fetch('/_sandbox/events', { headers: { Authorization: 'Bearer ' + key } });
  if (answer.status === 401) {
    link('lost', 'The key in this address is missing or wrong: open the address that the sandbox printed.');
    return false;
  }
  link('live', 'live');
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return true;
    const lines = (rest + value).split('\\n');
    rest = lines.pop();
    for (const line of lines) if (line !== '') applyLine(line);
  }
}
async function start() {
  for (;;) {
    try {
      if (!(await follow())) return;
    } catch { /* The sandbox stopped: try again below. */ }
    link('lost', 'no connection, trying again');
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
$('filter').addEventListener('input', () => {
  for (const row of document.querySelectorAll('tbody tr')) matches(row);
});
setInterval(() => {
  tile('n-rate', totals.calls - totals.at);
  totals.at = totals.calls;
}, 1000);
start();
`;
