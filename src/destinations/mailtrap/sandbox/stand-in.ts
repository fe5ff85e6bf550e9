import type { JsonObject } from '../../../core/json.ts';
import { asksToWait, type ApiReply, type ApiRequest, type CallSubject } from '../../../sandbox/api-request.ts';
import { Jobs } from '../../../sandbox/jobs.ts';
import { RateWindow } from '../../../sandbox/rate-window.ts';
import { bearerToken, secretCheck } from '../../../sandbox/secrets.ts';
import type {
  OptOutEvent,
  OptOutReason,
  OutgoingWebhook,
  ShownContact,
  ShownEvent,
  StandIn,
  StandInOptions,
} from '../../../sandbox/stand-in.ts';
import type { Account } from './account.ts';
import { contactOf } from './contact-input.ts';
import { createContact, deleteContact, getContact, patchContact } from './contacts.ts';
import { createEvent } from './events.ts';
import { createExport, FILES_PATH, getExport, getExportFile, makeFile } from './exports.ts';
import { createField, getFields, oneField } from './fields.ts';
import { applyImport, createImport, getImport } from './imports.ts';
import { createList, getLists, oneList } from './lists.ts';
import { failure, forbidden, invalid, notFound, rateLimited, unauthorized } from './replies.ts';
import { parsePath, parseSuppressionsPath, type Route } from './route.ts';
import { loadAccount, saveAccount } from './saved-account.ts';
import { mailtrapSettings, type MailtrapSettings } from './settings.ts';
import { MailtrapState } from './state.ts';
import { Store, type SuppressionType } from './store.ts';
import { createSuppression, deleteSuppression, getSuppressions } from './suppressions.ts';
import type { DataType } from './validate-value.ts';
import { shownContact, shownEvent } from './views.ts';
import { webhookRequests } from './webhooks.ts';

/** Requests per window [MT-docs: rate limits]: of all APIs per token, and of the Contacts API and of suppressions per account. */
const VENDOR_LIMITS = {
  general: { requests: 150, perMs: 10_000 },
  contacts: { requests: 200, perMs: 60_000 },
  suppressions: { requests: 10, perMs: 60_000 },
} as const;

const MIB = 1024 * 1024;

const SUPPRESSIONS: Readonly<Record<OptOutReason, SuppressionType>> = {
  unsubscribe: 'unsubscription',
  complaint: 'spam complaint',
  bounce: 'hard bounce',
};

/** The Contacts API of one Mailtrap account. */
export class MailtrapStandIn implements StandIn {
  /** The account in the API's own words. */
  readonly state: MailtrapState;
  private readonly account: Account;
  private readonly settings: MailtrapSettings;
  private readonly isToken: (given: string) => boolean;
  private readonly general: RateWindow;
  private readonly perAccount: RateWindow;
  private readonly ofSuppressions: RateWindow;

  constructor(options: StandInOptions) {
    const settings = mailtrapSettings.parse(options.settings);
    const { now } = options;
    const store: Store = new Store(
      now,
      (kind, contact) => options.onContact(kind, shownContact(contact, store)),
      (event) => options.onEvent(shownEvent(event)),
    );
    const account: Account = {
      store,
      imports: new Jobs(now, options.jobStepMs, (rows) => applyImport(account, rows)),
      exports: new Jobs(now, options.jobStepMs, (filters) => makeFile(account, filters)),
      files: new Map(),
      now,
      errorStyle: settings.errorStyle,
      maxContacts: settings.maxContacts,
      url: options.url,
    };
    this.account = account;
    this.settings = settings;
    this.state = new MailtrapState(account);
    this.isToken = secretCheck(options.token);
    const scaled = (limit: { requests: number; perMs: number }): RateWindow =>
      new RateWindow(Math.floor(limit.requests * options.limitsScale), limit.perMs, now);
    this.general = scaled(VENDOR_LIMITS.general);
    this.perAccount = scaled(VENDOR_LIMITS.contacts);
    this.ofSuppressions = scaled(VENDOR_LIMITS.suppressions);
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
    const own = this.ownLimit(request.path);
    if (this.general.remaining() < 1 || (own !== null && own.remaining() < 1)) return rateLimited;
    this.general.take();
    own?.take();
    return null;
  }

  handle(request: ApiRequest, rejects: (email: string) => boolean): ApiReply {
    if (request.path.startsWith(FILES_PATH)) return getExportFile(this.account, request.path);
    const suppressions = parseSuppressionsPath(request.path);
    if (suppressions !== null) {
      if (this.isForeign(suppressions.accountId) || !this.settings.admin) return forbidden;
      return this.suppressions(suppressions.id, request) ?? notFound;
    }
    const address = parsePath(request.path);
    if (address === null) return notFound;
    if (this.isForeign(address.accountId)) return forbidden;
    this.settled();
    return this.answer(address.route, request, rejects) ?? notFound;
  }

  failure(status: number, retryAfter?: number): ApiReply {
    return asksToWait(failure(status), 'Retry-After', retryAfter);
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

  get contactCount(): number {
    return this.state.contactCount;
  }

  *contacts(): Iterable<ShownContact> {
    const { store } = this.settled();
    for (const contact of store.contacts()) yield shownContact(contact, store);
  }

  contact(idOrAddress: string): ShownContact | undefined {
    const { store } = this.settled();
    const contact = store.find(idOrAddress);
    return contact === undefined ? undefined : shownContact(contact, store);
  }

  events(): readonly ShownEvent[] {
    return this.account.store.events.map(shownEvent);
  }

  get eventCount(): number {
    return this.account.store.eventCount;
  }

  lists(): readonly { readonly id: string; readonly name: string }[] {
    return this.state.lists().map(({ id, name }) => ({ id: String(id), name }));
  }

  fields(): readonly { readonly name: string; readonly type: string }[] {
    return this.state.fields().map((field) => ({ name: field.merge_tag, type: field.data_type }));
  }

  optOut(address: string, reason: OptOutReason): void {
    this.state.suppress(address, SUPPRESSIONS[reason]);
  }

  optIn(address: string): void {
    this.state.unsuppress(address);
  }

  addList(name: string): string {
    return String(this.state.addList(name).id);
  }

  addField(name: string, type: string): void {
    this.state.addField(name, type as DataType);
  }

  webhooks(optOuts: readonly OptOutEvent[], secret: string, nowMs: number): readonly OutgoingWebhook[] {
    return webhookRequests(optOuts, secret, nowMs, this.settings.webhookFormat);
  }

  save(): JsonObject {
    return saveAccount(this.account);
  }

  load(saved: JsonObject): void {
    loadAccount(this.account, saved);
  }

  reset(): void {
    for (const part of [this.account.store, this.account.imports, this.account.exports, this.account.files])
      part.clear();
    this.general.clear();
    this.perAccount.clear();
    this.ofSuppressions.clear();
  }

  private ownLimit(path: string): RateWindow | null {
    if (parsePath(path) !== null) return this.perAccount;
    return parseSuppressionsPath(path) === null ? null : this.ofSuppressions;
  }

  private isForeign(accountId: string | null): boolean {
    const own = this.settings.accountId;
    return accountId !== null && own !== undefined && accountId !== own;
  }

  private suppressions(id: string | null, request: ApiRequest): ApiReply | null {
    const { account } = this;
    if (id !== null) return request.method === 'DELETE' ? deleteSuppression(account, id) : null;
    if (request.method === 'GET') return getSuppressions(account, request);
    return request.method === 'POST' ? createSuppression(account, request) : null;
  }

  private settled(): Account {
    this.account.imports.settle();
    this.account.exports.settle();
    return this.account;
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
