/** Part of the page's script: tables whose rows can be opened, and what is shown of all there is. */
export const ROWS: string = String.raw`
const MAX_ROWS = 200;
const contactRows = new Map();
// What is looked at: one destination or all, and a text that must be in it.
const view = { destination: null, text: '' };

function fits(destination, ...texts) {
  if (view.destination !== null && view.destination !== destination) return false;
  return view.text === '' || texts.some((text) => text.toLowerCase().includes(view.text));
}
function flash(row) {
  row.classList.remove('flash');
  void row.offsetWidth;
  row.classList.add('flash');
}
function closeRow(row) {
  const opener = row.querySelector('button[aria-expanded]');
  if (opener) opener.setAttribute('aria-expanded', 'false');
  if (row.detail) row.detail.remove();
  row.detail = null;
}
function removeRow(row) {
  if (row.dataset.key) contactRows.delete(row.dataset.key);
  closeRow(row);
  row.remove();
}
function trim(body) {
  const rows = body.querySelectorAll('tr.row');
  for (let at = rows.length - 1; at >= MAX_ROWS; at -= 1) removeRow(rows[at]);
}
// A button that shows what fill(cell) puts below its row.
function opener(row, label, fill) {
  const toggle = async () => {
    if (row.detail) return closeRow(row);
    const cell = el('td');
    cell.colSpan = row.cells.length;
    const detail = el('tr', 'detail');
    detail.append(cell);
    row.after(detail);
    row.detail = detail;
    node.setAttribute('aria-expanded', 'true');
    await fill(cell);
  };
  const node = button('open', '', attempt(toggle));
  node.setAttribute('aria-expanded', 'false');
  node.append(label);
  return node;
}
function clearTables() {
  contactRows.clear();
  for (const id of ['contacts', 'events', 'calls']) $(id).replaceChildren();
}
function showEmpty() {
  $('no-contacts').hidden = $('contacts').rows.length > 0;
  $('events-part').hidden = $('events').rows.length === 0;
  $('no-calls').hidden = $('calls').rows.length > 0;
  const all = view.destination === null && view.text === '';
  for (const node of document.querySelectorAll('.all')) node.hidden = !all;
  for (const node of document.querySelectorAll('.found')) node.hidden = all;
}
function fill(found) {
  clearTables();
  for (const contact of found.contacts) putContact(contact.destination, contact);
  for (const event of found.events) addEvent(event);
  for (const call of found.calls) addCall(call);
  for (const id of ['contacts', 'events', 'calls']) trim($(id));
  showEmpty();
}
`;
