import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import { asksToWait, type ApiReply, type ApiRequest, type CallSubject } from '../../../sandbox/api-request.ts';
import { Jobs } from '../../../sandbox/jobs.ts';
import { secretCheck } from '../../../sandbox/secrets.ts';
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
import { answer } from './answer.ts';
import { contactNamed } from './contacts.ts';
import { runImport } from './import-work.ts';
import { getReport } from './imports.ts';
import { notify } from './notify.ts';
import { Rates } from './rates.ts';
import { badAddress, failure, noPath, tooMany, unauthorized } from './replies.ts';
import { parsePath } from './route.ts';
import { loadAccount, saveAccount } from './saved-account.ts';
import { brevoSettings } from './settings.ts';
import { ATTRIBUTE_TYPES, Store } from './store.ts';
import { shownContact, shownEvent } from './views.ts';
import { webhookRequests } from './webhooks.ts';

/** Most bytes of an import (developers.brevo.com, "Import contacts"); of other bodies nothing is said. */
const MOST_IMPORTED = 10_000_000;
const MOST = 2_000_000;

/** Contacts, lists, events and processes of one Brevo account. */
export class BrevoStandIn implements StandIn {
  private readonly account: Account;
  private readonly rates: Rates;
  private readonly isToken: (given: string) => boolean;
  private readonly jobMs: number;

  constructor(options: StandInOptions) {
    const { now, jobStepMs, url } = options;
    const store: Store = new Store(
      now,
      (kind, contact) => options.onContact(kind, shownContact(contact, store)),
      (event) => options.onEvent(shownEvent(event)),
    );
    const account: Account = {
      store,
      imports: new Jobs(now, jobStepMs, (work: JsonObject) => runImport(account, work)),
      settings: brevoSettings.parse(options.settings),
      url,
    };
    this.account = account;
    this.rates = new Rates(options.limitsScale, now);
    this.isToken = secretCheck(options.token);
    this.jobMs = jobStepMs * 2;
  }

  subject(request: ApiRequest): CallSubject {
    const route = parsePath(request.path);
    const emails: string[] = [];
    if (route?.to === 'contact') {
      const named = route.names[0] ?? '';
      emails.push(named, contactNamed(this.account, named, request)?.email ?? '');
    }
    const body = request.body === '' ? undefined : request.json()?.value;
    if (isJsonObject(body)) {
      const { email, attributes, identifiers } = body;
      const moved = isJsonObject(attributes) ? attributes['EMAIL'] : undefined;
      const told = isJsonObject(identifiers) ? identifiers['email_id'] : undefined;
      for (const each of [email, moved, told]) if (typeof each === 'string') emails.push(each);
    }
    const writes = request.method === 'PUT' || request.method === 'POST';
    return {
      emails: emails.filter((each) => each !== '').map((each) => each.toLowerCase()),
      writesContact: writes && (route?.to === 'contact' || route?.to === 'contacts'),
    };
  }

  gate(request: ApiRequest): ApiReply | null {
    if (request.path.startsWith('/process-reports/')) return null;
    const token = request.headers['api-key'];
    if (typeof token !== 'string' || !this.isToken(token)) return unauthorized;
    return this.rates.take(request.path) ? null : tooMany;
  }

  handle(request: ApiRequest, rejects: (address: string) => boolean): ApiReply {
    this.account.imports.settle();
    const route = parsePath(request.path);
    if (route === null) return getReport(this.account, request.path) ?? noPath;
    const reply = answer(this.account, route, request, { rejects, onEnd: (url, id) => this.tellLater(url, id) });
    return reply ?? failure(405);
  }

  failure(status: number, retryAfter?: number): ApiReply {
    return asksToWait(failure(status), 'x-sib-ratelimit-reset', retryAfter);
  }

  refusal(): ApiReply {
    return badAddress;
  }

  bodyLimit(path: string): number {
    return parsePath(path)?.to === 'import' ? MOST_IMPORTED : MOST;
  }

  commonHeaders(): Readonly<Record<string, string>> {
    return this.rates.headers();
  }

  get contactCount(): number {
    return this.settled().store.size;
  }

  *contacts(): Iterable<ShownContact> {
    const { store } = this.settled();
    for (const contact of store.contacts()) yield shownContact(contact, store);
  }

  contact(idOrAddress: string): ShownContact | undefined {
    const { store } = this.settled();
    const contact = store.named(idOrAddress);
    return contact === undefined ? undefined : shownContact(contact, store);
  }

  events(): readonly ShownEvent[] {
    return this.account.store.events.map(shownEvent);
  }

  get eventCount(): number {
    return this.account.store.eventCount;
  }

  lists(): readonly { readonly id: string; readonly name: string }[] {
    return Array.from(this.account.store.lists.values(), ({ id, name }) => ({ id: String(id), name }));
  }

  fields(): readonly { readonly name: string; readonly type: string }[] {
    return Array.from(this.account.store.attributes.values(), ({ name, type, category }) => ({
      name,
      type: type ?? category,
    }));
  }

  /** A block is the contact's here: an address without one becomes a contact that is blocked. */
  optOut(address: string, _reason: OptOutReason): void {
    const { store } = this.settled();
    store.write(store.find('email', address), (draft) => {
      draft.email ??= address;
      draft.emailBlacklisted = true;
    });
  }

  optIn(address: string): void {
    const { store } = this.settled();
    const contact = store.find('email', address);
    if (contact !== undefined) store.write(contact, (draft) => void (draft.emailBlacklisted = false));
  }

  addList(name: string): string {
    return String(this.account.store.addList(name).id);
  }

  addField(name: string, type: string): void {
    const known = ATTRIBUTE_TYPES.find((each) => each === type) ?? 'text';
    this.account.store.addAttribute({ name: name.toUpperCase(), category: 'normal', type: known, options: [] });
  }

  webhooks(optOuts: readonly OptOutEvent[], secret: string, nowMs: number): readonly OutgoingWebhook[] {
    return webhookRequests(optOuts, secret, nowMs);
  }

  save(): JsonObject {
    return saveAccount(this.account);
  }

  load(saved: JsonObject): void {
    loadAccount(this.account, saved);
  }

  reset(): void {
    this.account.store.clear();
    this.account.imports.clear();
    this.rates.clear();
  }

  private settled(): Account {
    this.account.imports.settle();
    return this.account;
  }

  /** By a timer of its own, as nobody may ask meanwhile. It keeps no process alive. */
  private tellLater(url: string, id: number): void {
    setTimeout(() => {
      this.account.imports.poll(id);
      this.account.imports.poll(id);
      notify(url, id);
    }, this.jobMs).unref();
  }
}
