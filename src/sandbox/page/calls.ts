/** Part of the page's script: events and calls, and one call in full. */
export const CALLS: string = String.raw`
function addEvent(event) {
  if (!fits(event.destination, event.address, event.name, JSON.stringify(event.properties))) return;
  const row = el('tr', 'row');
  const properties = el('td', 'fields');
  addChips(properties, event.properties);
  const what = el('td', 'mail', event.name);
  what.append(' ', badge(event.destination), breakable(el('span', 'who'), event.address, '@'));
  row.append(el('td', 'time', time(event.at)), what, properties);
  flash(row);
  $('events').prepend(row);
}
function statusClass(status) {
  if (status >= 200 && status < 300) return 'pill';
  return status === 429 || (status >= 300 && status < 500) ? 'pill warn' : 'pill bad';
}
function decoded(path) {
  try { return decodeURIComponent(path); } catch { return path; }
}
// What the server knows to fit is not asked again: it has looked into the bodies too.
function addCall(call) {
  const row = el('tr', 'row');
  const label = el('span');
  label.append(el('span', 'verb', call.method), ' ', breakable(el('span', 'path'), call.path, '%40'));
  const what = el('td', 'what');
  what.append(opener(row, label, (cell) => callDetail(cell, call.n)), ' ', badge(call.destination));
  if (call.fault) what.append(el('i', '', 'fault: ' + call.fault));
  const status = el('td');
  status.append(el('span', statusClass(call.status), call.status === 0 ? 'dropped' : String(call.status)));
  row.append(el('td', 'time', time(call.at)), what, status, el('td', 'num', call.ms.toFixed(1)));
  $('calls').prepend(row);
}
function addNewCall(call) {
  if (fits(call.destination, call.method + ' ' + call.path, decoded(call.path), String(call.status), call.fault || '')) addCall(call);
}
async function callDetail(cell, n) {
  const call = await control('GET', 'calls/' + n);
  const parts = [
    ['request', call.headers, call.body],
    call.status === 0 ? ['answer', {}, 'none: the connection was dropped'] : ['answer ' + call.status, call.answerHeaders, call.answer],
  ];
  cell.replaceChildren(...parts.map(([title, headers, body]) => {
    const part = el('div', 'message');
    const lines = Object.entries(headers).map(([name, value]) => name + ': ' + value).join('\n');
    part.append(el('h3', '', title));
    if (lines) part.append(el('pre', 'headers', lines));
    part.append(body === '' ? el('p', 'none', 'no body') : el('pre', 'body', pretty(body)));
    return part;
  }));
}
// Only layout changes: digits of numbers stay as they were sent.
function pretty(text) {
  try { return JSON.stringify(JSON.parse(text, (name, value, context) =>
    typeof value === 'number' && context && JSON.rawJSON ? JSON.rawJSON(context.source) : value), null, 2); }
  catch { return text; }
}
`;
