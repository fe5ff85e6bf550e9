/** Part of the page's script: contacts, and what can be done to one. */
export const CONTACTS: string = String.raw`
function statusPill(status) {
  return el('span', status === 'subscribed' ? 'pill' : 'pill warn', status);
}
function putContact(destination, contact) {
  const rowKey = destination + ' ' + contact.id;
  let row = contactRows.get(rowKey);
  if (!row) {
    row = el('tr', 'row');
    row.dataset.key = rowKey;
    contactRows.set(rowKey, row);
    $('contacts').prepend(row);
  }
  const open = Boolean(row.detail);
  const label = breakable(el('span'), contact.address, '@');
  const mail = el('td', 'mail');
  const focused = row.contains(document.activeElement);
  const node = opener(row, label, (cell) => contactDetail(cell, destination, contact.id));
  node.setAttribute('aria-expanded', String(open));
  mail.append(node, ' ', badge(destination));
  const chips = el('td', 'fields');
  addChips(chips, contact.attributes);
  const lists = el('td', 'lists');
  for (const name of contact.lists) lists.append(el('span', 'chip', name));
  const status = el('td');
  status.append(statusPill(contact.status));
  const times = el('td', 'time', time(contact.createdAt));
  times.append(el('br'), time(contact.updatedAt));
  row.replaceChildren(mail, chips, lists, status, times);
  if (focused) node.focus();
  if (open) void contactDetail(row.detail.cells[0], destination, contact.id).catch(() => closeRow(row));
  return row;
}
function applyChange(change) {
  const rowKey = change.destination + ' ' + change.id;
  const row = contactRows.get(rowKey);
  const { contact } = change;
  if (contact === null) {
    if (!row) return;
    contactRows.delete(rowKey);
    closeRow(row);
    row.className = 'row gone';
    for (const node of row.querySelectorAll('button')) node.disabled = true;
    setTimeout(() => { row.remove(); showEmpty(); }, 4000);
    return;
  }
  const texts = [contact.address, contact.id, contact.status, JSON.stringify(contact.attributes), ...contact.lists];
  if (row || fits(change.destination, ...texts)) flash(putContact(change.destination, contact));
}
async function contactDetail(cell, destination, id) {
  const where = '?destination=' + encodeURIComponent(destination) + '&contact=' + encodeURIComponent(id);
  const { contact, consent, webhooks } = await control('GET', 'contact' + where);
  const facts = el('dl');
  const fact = (name, ...values) => {
    const value = el('dd');
    value.append(...values);
    facts.append(el('dt', '', name), value);
  };
  fact('id', contact.id);
  const history = el('ol', 'history');
  const born = el('li', '', 'made ');
  born.append(el('span', 'time', time(contact.createdAt)));
  history.append(born);
  for (const change of consent) {
    const item = el('li');
    item.append(change.status === 'deleted' ? el('span', 'pill bad', 'deleted') : statusPill(change.status));
    item.append(' ', el('span', 'time', time(change.at)), ' ', el('code', '', change.call === null ? 'by hand' : change.call));
    history.append(item);
  }
  fact('consent', history);
  const acts = el('div', 'acts');
  if (contact.status === 'subscribed') {
    for (const [reason, label] of [['unsubscribe', 'Unsubscribe'], ['complaint', 'Complain'], ['bounce', 'Bounce']])
      acts.append(button('', label, attempt(() => optOut(destination, contact.address, reason, webhooks))));
  } else {
    acts.append(button('', 'Subscribe again', attempt(() =>
      control('POST', 'opt-ins', { destination, address: contact.address }).then(() => say(contact.address + ' said yes again.')))));
  }
  fact('as this person', acts);
  cell.replaceChildren(facts);
}
async function optOut(destination, address, reason, webhooks) {
  const { told } = await control('POST', 'opt-outs', { destination, address, reason });
  const words = { unsubscribe: ' unsubscribed.', complaint: ' complained.', bounce: ' bounced.' };
  const answers = told.map(({ status }) => (status === 0 ? 'no answer' : 'HTTP ' + status)).join(', ');
  const hint = webhooks ? ' No receiver is set, so no webhook was sent.' : ' ' + destination + ' sends no webhooks of it.';
  say(address + words[reason] + (told.length > 0 ? ' Webhook: ' + answers + '.' : hint), told.some(({ acknowledged }) => !acknowledged));
}
`;
