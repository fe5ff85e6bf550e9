import type { JsonObject } from '../../core/json.ts';
import { RateWindow } from '../rate-window.ts';
import { bearerToken, secretCheck } from '../secrets.ts';
import type { ApiReply, ApiRequest, CallSubject, World } from '../world.ts';
import type { Account } from './account.ts';
import { contactOf } from './contact-input.ts';
import { createContact, deleteContact, getContact, patchContact } from './contacts.ts';
import { createEvent } from './events.ts';
import { createExport, FILES_PATH, getExport, getExportFile } from './exports.ts';
import { createField, getFields, oneField } from './fields.ts';
import { createImport, getImport } from './imports.ts';
import { createList, getLists, oneList } from './lists.ts';
import { failure, forbidden, invalid, notFound, rateLimited, unauthorized } from './replies.ts';
import { parsePath, type Route } from './route.ts';
import { asJson, contactView, fieldView, listView } from './views.ts';

/** Requests per window [MT-docs: rate limits]: of all APIs per token, and of the Contacts API per account. */
const VENDOR_LIMITS = {
  general: { requests: 150, perMs: 10_000 },
  contacts: { requests: 200, perMs: 60_000 },
} as const;

const MIB = 1024 * 1024;

export interface MailtrapOptions {
  readonly token: string;
  /** The only account the older path style may name; any when null. */
  readonly accountId: string | null;
  /** How many times the vendor's limits; `Infinity` for none. */
  readonly limitsScale: number;
}

/** The Contacts API of one Mailtrap account. */
export class MailtrapWorld implements World {
  private readonly account: Account;
  private readonly accountId: string | null;
  private readonly isToken: (given: string) => boolean;
  private readonly general: RateWindow;
  private readonly contacts: RateWindow;

  constructor(account: Account, options: MailtrapOptions) {
    this.account = account;
    this.accountId = options.accountId;
    this.isToken = secretCheck(options.token);
    const scaled = (limit: { requests: number; perMs: number }): RateWindow =>
      new RateWindow(Math.floor(limit.requests * options.limitsScale), limit.perMs, account.now);
    this.general = scaled(VENDOR_LIMITS.general);
    this.contacts = scaled(VENDOR_LIMITS.contacts);
  }

  subject(request: ApiRequest): CallSubject {
    const address = parsePath(request.path);
    const emails: string[] = [];
    const route = address?.route;
    if (route?.to === 'contact' || route?.to === 'events') {
      emails.push(route.identifier.toLowerCase());
      const known = this.account.store.find(route.identifier)?.email.toLowerCase();
      if (known !== undefined) emails.push(known);
    }
    const body = request.body === '' ? null : request.json();
    const written = body === null ? undefined : contactOf(body.value)?.['email'];
    if (typeof written === 'string') emails.push(written.toLowerCase());
    const writes = request.method === 'PATCH' || request.method === 'POST';
    return { emails, writesContact: writes && (route?.to === 'contact' || route?.to === 'contacts') };
  }

  gate(request: ApiRequest): ApiReply | null {
    if (request.path.startsWith(FILES_PATH)) return null;
    const token = bearerToken(request.headers.authorization) ?? request.headers['api-token'];
    if (typeof token !== 'string' || !this.isToken(token)) return unauthorized;
    const inContacts = parsePath(request.path) !== null;
    if (this.general.remaining() < 1 || (inContacts && this.contacts.remaining() < 1)) return rateLimited;
    this.general.take();
    if (inContacts) this.contacts.take();
    return null;
  }

  handle(request: ApiRequest, rejects: (email: string) => boolean): ApiReply {
    if (request.path.startsWith(FILES_PATH)) return getExportFile(this.account, request.path);
    const address = parsePath(request.path);
    if (address === null) return notFound;
    if (address.accountId !== null && this.accountId !== null && address.accountId !== this.accountId) return forbidden;
    this.account.imports.settle();
    this.account.exports.settle();
    return this.answer(address.route, request, rejects) ?? notFound;
  }

  failure(status: number): ApiReply {
    return failure(status);
  }

  refusal(): ApiReply {
    return invalid({ email: ['is invalid'] }, this.account.errorStyle);
  }

  /** The vendor publishes no limit: an import of 50,000 rich rows must pass, other requests are small. */
  bodyLimit(path: string): number {
    return parsePath(path)?.route.to === 'imports' ? 64 * MIB : 2 * MIB;
  }

  /** They describe the general bucket only [MT-rb], never that of the Contacts API. */
  commonHeaders(): Readonly<Record<string, string>> {
    if (!Number.isFinite(this.general.limit)) return { 'X-Mailtrap-Version': 'v2' };
    return {
      'X-Ratelimit-Limit': String(this.general.limit),
      'X-Ratelimit-Remaining': String(this.general.remaining()),
      'X-Mailtrap-Version': 'v2',
    };
  }

  snapshot(): JsonObject {
    const { store } = this.account;
    return {
      contacts: [...store.contacts()].map((contact) => asJson(contactView(contact, store))),
      lists: [...store.lists.values()].map((list) => asJson(listView(list))),
      fields: [...store.fields.values()].map((field) => asJson(fieldView(field))),
      suppressions: [...store.suppressions.values()].map((suppression) => ({ ...suppression })),
      contact_events: store.events.map((event) => ({ ...event })),
    };
  }

  reset(): void {
    for (const part of [this.account.store, this.account.imports, this.account.exports, this.account.files])
      part.clear();
    this.general.clear();
    this.contacts.clear();
  }

  private answer(route: Route, request: ApiRequest, rejects: (email: string) => boolean): ApiReply | null {
    const { account } = this;
    const { method } = request;
    switch (route.to) {
      case 'contact':
        if (method === 'PATCH') return patchContact(account, route.identifier, request);
        if (method === 'GET') return getContact(account, route.identifier);
        return method === 'DELETE' ? deleteContact(account, route.identifier) : null;
      case 'contacts':
        return method === 'POST' ? createContact(account, request) : null;
      case 'events':
        return method === 'POST' ? createEvent(account, route.identifier, request) : null;
      case 'lists':
        if (method === 'GET') return getLists(account);
        return method === 'POST' ? createList(account, request) : null;
      case 'list':
        return oneList(account, route.id, request);
      case 'fields':
        if (method === 'GET') return getFields(account);
        return method === 'POST' ? createField(account, request) : null;
      case 'field':
        return oneField(account, route.id, request);
      case 'imports':
        return method === 'POST' ? createImport(account, request, rejects) : null;
      case 'import':
        return method === 'GET' ? getImport(account, route.id) : null;
      case 'exports':
        return method === 'POST' ? createExport(account, request) : null;
      case 'export':
        break;
    }
    return method === 'GET' ? getExport(account, route.id) : null;
  }
}
