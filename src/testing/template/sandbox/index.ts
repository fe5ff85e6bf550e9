import { isJsonObject, type Json, type JsonObject, renderJson } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import { bearerToken, secretCheck } from '../../../sandbox/secrets.ts';
import type { ShownContact, StandIn, StandInMaker } from '../../../sandbox/stand-in.ts';
import { Contacts } from './contacts.ts';

// To write: the vendor's real API, quirks included, each with its source. Everything that is not implemented answers 404.

const NO_CONTENT: ApiReply = { status: 204, body: null };
const MIB = 1024 * 1024;

function reply(status: number, value: Json, headers: Readonly<Record<string, string>> = {}): ApiReply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: renderJson(value) };
}

function failed(status: number, message: string): ApiReply {
  return reply(status, { message });
}

/** The address that a path names; undefined where it names none. */
function addressIn(path: string): string | undefined {
  const segment = /^\/v1\/contacts\/([^/]+)(?:\/unsubscribe)?$/.exec(path)?.[1];
  try {
    return segment === undefined ? undefined : decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function view({ id, address, status }: ShownContact): JsonObject {
  return { id, address, unsubscribed: status === 'unsubscribed' };
}

function handle(contacts: Contacts, request: ApiRequest): ApiReply {
  const { method, path } = request;
  if (method === 'GET' && path === '/v1/account') return reply(200, { name: 'Acme of the sandbox' });
  const address = addressIn(path);
  if (address === undefined) return failed(404, 'There is no such path.');
  if (method === 'PUT') {
    const body = request.json()?.value;
    if (!isJsonObject(body)) return failed(400, 'The body is no JSON object.');
    if (!/^[^\s@"/]{1,64}@[^\s@]{1,255}$/.test(address)) return failed(422, 'The address is invalid.');
    const attributes = body['attributes'];
    const given = { attributes: isJsonObject(attributes) ? attributes : {}, optsOut: body['unsubscribed'] === true };
    return reply(200, view(contacts.put(address, given)));
  }
  const found = contacts.at(address);
  if (found === undefined) return failed(404, 'There is no such contact.');
  if (method === 'GET') return reply(200, view(found));
  if (method === 'POST') return reply(200, view(contacts.put(address, { attributes: {}, optsOut: true })));
  if (method !== 'DELETE') return failed(405, 'This is not done here.');
  contacts.remove(address);
  return NO_CONTENT;
}

const standIn: StandInMaker = ({ token, now, onContact }): StandIn => {
  const contacts = new Contacts(now, onContact);
  const isToken = secretCheck(token);
  return {
    subject(request) {
      const address = addressIn(request.path);
      return { emails: address === undefined ? [] : [address.toLowerCase()], writesContact: request.method === 'PUT' };
    },
    gate(request) {
      const given = bearerToken(request.headers.authorization);
      return given !== null && isToken(given) ? null : failed(401, 'The key is not known.');
    },
    handle: (request) => handle(contacts, request),
    failure: (status, retryAfter) =>
      reply(
        status,
        { message: `This is status ${status}.` },
        retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) },
      ),
    refusal: () => failed(422, 'The address is invalid.'),
    bodyLimit: () => MIB,
    commonHeaders: () => ({}),
    get contactCount(): number {
      return contacts.size;
    },
    contacts: () => contacts.all(),
    contact: (idOrAddress) => contacts.find(idOrAddress),
    events: () => [],
    eventCount: 0,
    lists: () => [],
    fields: () => [],
    optOut: (address) => contacts.optOut(address),
    optIn: (address) => contacts.optIn(address),
    addList: () => '',
    addField: () => undefined,
    save: () => contacts.save(),
    load: (saved) => contacts.load(saved),
    reset: () => contacts.clear(),
  };
};

export default standIn;
