import { createHash } from 'node:crypto';

const STYLE = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--line:#e3e6eb;--text:#1b2330;--dim:#67707f;--accent:#2456e6;
--ok:#12805c;--okbg:#dff5ec;--warn:#9a5b00;--warnbg:#fdf0d5;--bad:#b3261e;--badbg:#fde4e1;--flash:#fff3b8}
@media (prefers-color-scheme:dark){:root{--bg:#0f1319;--card:#171d26;--line:#28313d;--text:#e4e9f0;--dim:#8b97a8;
--accent:#7ea2ff;--ok:#5fd6a8;--okbg:#123528;--warn:#f0bf6b;--warnbg:#3a2c10;--bad:#ff8d84;--badbg:#431b18;--flash:#4a4212}}
*{box-sizing:border-box}
html,body{height:100%;margin:0}
body{background:var(--bg);color:var(--text);font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
display:flex;flex-direction:column}
header{display:flex;flex-wrap:wrap;align-items:center;gap:12px 20px;padding:14px 20px 6px}
h1{font-size:17px;margin:0;letter-spacing:-.01em}
h1 small{font-weight:400;color:var(--dim);font-size:14px;margin-left:8px}
#link{font-size:12px;color:var(--dim);display:inline-flex;align-items:center;gap:6px}
#link::before{content:"";width:8px;height:8px;border-radius:50%;background:var(--warn)}
#link.live::before{background:var(--ok)}
#link.lost::before{background:var(--bad)}
#filter{margin-left:auto;width:min(300px,100%);padding:7px 11px;border:1px solid var(--line);border-radius:8px;
background:var(--card);color:inherit;font:inherit}
#filter:focus{outline:2px solid var(--accent);outline-offset:-1px}
#counters{display:grid;grid-template-columns:repeat(auto-fit,minmax(104px,1fr));gap:10px;padding:8px 20px 12px}
#counters div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:8px 12px}
#counters b{display:block;font-size:21px;font-weight:650;font-variant-numeric:tabular-nums;letter-spacing:-.02em}
#counters span{color:var(--dim);font-size:12px}
#counters .hot b{color:var(--bad)}
main{flex:1;min-height:0;display:grid;grid-template-columns:minmax(0,1.35fr) minmax(0,1fr);gap:14px;padding:0 20px 20px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;display:flex;flex-direction:column;
min-height:0;overflow:hidden}
h2{font-size:13px;margin:0;padding:10px 14px;border-bottom:1px solid var(--line);display:flex;gap:8px;align-items:baseline}
h2 small{font-weight:400;color:var(--dim)}
.scroll{overflow:auto;flex:1;scrollbar-width:thin;scrollbar-color:var(--line) transparent}
table{border-collapse:collapse;width:100%}
th{position:sticky;top:0;background:var(--card);text-align:left;font-size:11.5px;font-weight:550;color:var(--dim);
padding:6px 8px;border-bottom:1px solid var(--line);white-space:nowrap;z-index:1}
td{padding:6px 8px;border-bottom:1px solid var(--line);vertical-align:top}
th:first-child,td:first-child{padding-left:14px}
th:last-child,td:last-child{padding-right:14px}
td.mail{font-weight:550;overflow-wrap:anywhere;min-width:170px}
td.fields{min-width:180px}
td.lists .chip{white-space:nowrap}
td.time,td.num{white-space:nowrap;color:var(--dim);font-variant-numeric:tabular-nums;font-size:12.5px}
td.num,th.num{text-align:right}
td.path{min-width:190px;font:12px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
td.path i{display:block;font-style:normal;color:var(--warn)}
.chip{display:inline-block;max-width:100%;margin:1px 4px 1px 0;padding:0 6px;border:1px solid var(--line);border-radius:5px;
font-size:12px;overflow-wrap:anywhere}
.chip em{font-style:normal;color:var(--dim);margin-right:4px}
.pill{display:inline-block;padding:0 8px;border-radius:20px;font-size:12px;font-weight:550;white-space:nowrap;
color:var(--ok);background:var(--okbg)}
.pill.warn{color:var(--warn);background:var(--warnbg)}
.pill.bad{color:var(--bad);background:var(--badbg)}
.verb{font:600 11.5px/1.7 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--accent)}
tr.flash td{animation:flash 1.4s ease-out}
tr.gone td{color:var(--dim);text-decoration:line-through}
@keyframes flash{from{background:var(--flash)}}
@media (prefers-reduced-motion:reduce){tr.flash td{animation:none}}
.empty{padding:34px 20px;text-align:center;color:var(--dim)}
[hidden]{display:none!important}
@media (max-width:900px){#filter{margin-left:0;width:100%}body{height:auto}main{grid-template-columns:1fr}.scroll{max-height:60vh}}
`;

const SCRIPT = `
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
function fillContact(row, contact) {
  const chips = el('td', 'fields');
  for (const [tag, value] of Object.entries(contact.fields)) {
    const chip = el('span', 'chip');
    chip.append(el('em', '', tag), show(value));
    chips.append(chip);
  }
  const lists = el('td', 'lists');
  for (const id of contact.list_ids) lists.append(el('span', 'chip', '#' + id));
  const status = el('td');
  status.append(el('span', contact.status === 'subscribed' ? 'pill' : 'pill warn', contact.status));
  const times = el('td', 'time', time(contact.created_at));
  times.append(el('br'), time(contact.updated_at));
  row.replaceChildren(breakable(el('td', 'mail'), contact.email, '@'), chips, lists, status, times);
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
  tile('n-contacts', news.contactCount);
  tile('n-calls', news.counters.calls);
  tile('n-ok', count(by, (s) => s >= 200 && s < 300));
  tile('n-client', count(by, (s) => s >= 300 && s < 500 && s !== 429));
  tile('n-limited', count(by, (s) => s === 429));
  tile('n-server', count(by, (s) => s >= 500), true);
  tile('n-dropped', count(by, (s) => s === 0), true);
  totals.calls = news.counters.calls;
  $('no-contacts').hidden = $('contacts').rows.length > 0;
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
    totals.at = news.counters.calls;
    for (const contact of news.contacts) fillContact(contactRow(contact.id), contact);
    for (const row of $('contacts').rows) matches(row);
  } else {
    for (const change of news.changes) applyChange(change);
  }
  for (const call of news.calls) addCall(call);
  trim($('contacts'));
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

const tile = (id: string, label: string): string => `<div><b id="${id}">0</b><span>${label}</span></div>`;

/** The page of the sandbox: one file, nothing from elsewhere. */
export const PAGE: string = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Rollcall sandbox</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Rollcall sandbox<small>Mailtrap stand-in</small></h1>
<span id="link" role="status">connecting</span>
<input id="filter" type="search" placeholder="Filter contacts and calls" aria-label="Filter contacts and calls" autocomplete="off">
</header>
<div id="counters">
${tile('n-contacts', 'contacts')}${tile('n-calls', 'calls')}${tile('n-rate', 'calls / s')}${tile('n-ok', 'accepted')}
${tile('n-client', 'refused')}${tile('n-limited', 'rate limited')}${tile('n-server', 'server errors')}${tile('n-dropped', 'dropped')}
</div>
<main>
<section aria-label="Contacts">
<h2>Contacts <small>newest first, last 200</small></h2>
<div class="scroll">
<table><thead><tr><th>Email</th><th>Fields</th><th>Lists</th><th>Status</th><th>First, last call</th></tr></thead>
<tbody id="contacts"></tbody></table>
<p class="empty" id="no-contacts">No contacts yet. They appear here the moment the API accepts them.</p>
</div>
</section>
<section aria-label="Calls">
<h2>Calls <small>newest first, last 200</small></h2>
<div class="scroll">
<table><thead><tr><th>At</th><th>Method</th><th>Path</th><th>Status</th><th class="num">ms</th></tr></thead>
<tbody id="calls"></tbody></table>
<p class="empty" id="no-calls">No calls yet.</p>
</div>
</section>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Only this page's own script and style run, and only this server is spoken to. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `script-src ${sha256(SCRIPT)}`,
    `style-src ${sha256(STYLE)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};
