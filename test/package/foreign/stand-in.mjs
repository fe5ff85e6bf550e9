// Postbox in memory: a contact is its address.
const NO_CONTENT = { status: 204, body: null };
const reply = (status, value, headers = {}) => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
});

/** @type {import('rollcall/testing').StandInMaker} */
export function standIn({ token, now, onContact }) {
  const contacts = new Map();
  const keyOf = (address) => address.toLowerCase();
  const shown = (contact) => ({ ...contact, status: contact.optOut ? 'unsubscribed' : 'subscribed', lists: [] });
  const change = (address, attributes, optOut) => {
    const before = contacts.get(keyOf(address));
    const merged = Object.entries({ ...before?.attributes, ...attributes }).filter(([, value]) => value !== null);
    const after = {
      id: before?.id ?? address,
      address: before?.address ?? address,
      attributes: Object.fromEntries(merged),
      optOut: optOut ?? before?.optOut === true,
      createdAt: before?.createdAt ?? now(),
      updatedAt: now(),
    };
    contacts.set(keyOf(address), after);
    onContact(before === undefined ? 'created' : 'updated', shown(after));
    return after;
  };
  const addressOf = (request) => decodeURIComponent(request.path.split('/')[2] ?? '');
  return {
    subject: (request) => ({ emails: [addressOf(request).toLowerCase()], writesContact: request.method === 'PUT' }),
    gate: (request) =>
      request.headers.authorization === `Bearer ${token}` ? null : reply(401, { message: 'Who are you?' }),
    handle(request) {
      const address = addressOf(request);
      if (request.path === '/me') return reply(200, { name: 'me' });
      const found = contacts.get(keyOf(address));
      const body = request.json()?.value;
      if (request.method === 'PUT') {
        if (!/^[^\s@/"]{1,64}@[^\s@]{1,200}$/.test(address)) return reply(422, { message: 'This is no address.' });
        return reply(200, { address: change(address, body.attributes, body.optOut).address });
      }
      if (found === undefined) return reply(404, { message: 'Nobody is there.' });
      if (request.method === 'GET') return reply(200, { address: found.address, optOut: found.optOut });
      if (request.method === 'POST') change(address, {}, true);
      else contacts.delete(keyOf(address));
      return NO_CONTENT;
    },
    failure: (status, retryAfter) =>
      reply(
        status,
        { message: `It says ${status}.` },
        retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) },
      ),
    refusal: () => reply(422, { message: 'This is no address.' }),
    bodyLimit: () => 1_000_000,
    commonHeaders: () => ({}),
    get contactCount() {
      return contacts.size;
    },
    contacts: () => [...contacts.values()].map(shown),
    contact: (address) => (contacts.has(keyOf(address)) ? shown(contacts.get(keyOf(address))) : undefined),
    events: () => [],
    eventCount: 0,
    lists: () => [],
    fields: () => [],
    optOut: (address) => void change(address, {}, true),
    optIn: () => undefined,
    addList: () => '',
    addField: () => undefined,
    save: () => ({}),
    load: () => undefined,
    reset: () => contacts.clear(),
  };
}
