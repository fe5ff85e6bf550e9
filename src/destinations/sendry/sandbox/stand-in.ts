import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import { asksToWait, type ApiReply, type ApiRequest, type CallSubject } from '../../../sandbox/api-request.ts';
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
import { allAudiences, members, oneAudience, oneMember } from './audiences.ts';
import { type Answer, byEmail, listContacts, oneContact, postContact } from './contacts.ts';
import { allEvents, oneEvent } from './events.ts';
import { importFile, importJson } from './imports.ts';
import { allSuppressions, allUnsubscribes, oneSuppression, oneUnsubscribe, unsubscribeBatch } from './opt-outs.ts';
import {
  ApiError,
  expiredKey,
  failure,
  insufficientScope,
  invalid,
  rateLimited,
  routeNotFound,
  unauthorized,
} from './replies.ts';
import { parsePath, type Route } from './route.ts';
import { loadStore, saveStore } from './saved-account.ts';
import { type Scope, sendrySettings } from './settings.ts';
import { Store, type SuppressionReason } from './store.ts';
import { shownContact, shownEvent } from './views.ts';
import { webhookRequests } from './webhooks.ts';

const MIB = 1024 * 1024;

const REASONS: Readonly<Record<OptOutReason, SuppressionReason>> = {
  unsubscribe: 'unsubscribe',
  complaint: 'complaint',
  bounce: 'hard_bounce',
};

/** One Sendry organisation. */
export class SendryStandIn implements StandIn {
  private readonly account: Account;
  private readonly keys: readonly (readonly [isKey: (given: string) => boolean, Scope])[];
  private readonly window: RateWindow;

  constructor({ token, limitsScale, now, settings: given, onContact, onEvent }: StandInOptions) {
    const settings = sendrySettings.parse(given);
    const store: Store = new Store(
      now,
      (kind, contact) => onContact(kind, shownContact(contact, store)),
      (event) => onEvent(shownEvent(event)),
    );
    this.account = { store, settings, now };
    const all: [string, Scope][] = [[token, 'full_access'], ...Object.entries(settings.keys)];
    this.keys = all.map(([key, scope]) => [secretCheck(key), scope] as const);
    this.window = new RateWindow(Math.floor(settings.requestsPerSecond * limitsScale), 1_000, now);
  }

  subject(request: ApiRequest): CallSubject {
    const { store } = this.account;
    const route = parsePath(request.path);
    const value = request.body === '' ? undefined : request.json()?.value;
    const body: JsonObject = isJsonObject(value) ? value : {};
    const ids = [route?.to === 'contact' ? route.id : undefined, body['contact_id']];
    const emails = [
      ...ids.map((id) => (typeof id === 'string' ? store.get(id)?.email : undefined)),
      route?.to === 'by-email' ? request.query.get('email') : undefined,
      body['email'],
      body['contact_email'],
    ].flatMap((email) => (typeof email === 'string' ? [email.toLowerCase()] : []));
    const writes = ['POST', 'PATCH', 'PUT'].includes(request.method);
    const isContact = route?.to === 'contacts' || route?.to === 'contact' || route?.to === 'by-email';
    return { emails: [...new Set(emails)], writesContact: writes && isContact };
  }

  gate(request: ApiRequest): ApiReply | null {
    const { errorStyle } = this.account.settings;
    const key = bearerToken(request.headers.authorization) ?? '';
    const scope = this.keys.find(([isKey]) => isKey(key))?.[1];
    if (scope === undefined) return unauthorized.reply(errorStyle);
    if (scope === 'expired') return expiredKey.reply(errorStyle);
    if (this.window.remaining() < 1) return rateLimited(errorStyle, 1);
    this.window.take();
    // Reading needs any key, writing `full_access` (documentation, each endpoint).
    const may = scope === 'full_access' || request.method === 'GET';
    return may ? null : insufficientScope('full_access', scope).reply(errorStyle);
  }

  handle(request: ApiRequest, rejects: (address: string) => boolean): ApiReply {
    const route = parsePath(request.path);
    const answer = (route === null ? null : this.answer(route, request, rejects)) ?? routeNotFound;
    return answer instanceof ApiError ? answer.reply(this.account.settings.errorStyle) : answer;
  }

  failure(status: number, retryAfter?: number): ApiReply {
    const { errorStyle } = this.account.settings;
    if (status === 429) return rateLimited(errorStyle, retryAfter ?? 1);
    return asksToWait(failure(status, errorStyle), 'Retry-After', retryAfter);
  }

  refusal(): ApiReply {
    return invalid({ email: 'must be a valid email' }).reply(this.account.settings.errorStyle);
  }

  /** The vendor publishes no limit. */
  bodyLimit(path: string): number {
    const to = parsePath(path)?.to;
    return to === 'import' || to === 'bulk-import' ? 16 * MIB : 2 * MIB;
  }

  commonHeaders(): Readonly<Record<string, string>> {
    return {};
  }

  get contactCount(): number {
    return this.account.store.size;
  }

  *contacts(): Iterable<ShownContact> {
    const { store } = this.account;
    for (const contact of store.contacts()) yield shownContact(contact, store);
  }

  contact(idOrAddress: string): ShownContact | undefined {
    const { store } = this.account;
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
    return Array.from(this.account.store.audiences.values(), ({ id, name }) => ({ id, name }));
  }

  /** Attributes need no field: each contact has its own. */
  fields(): readonly { readonly name: string; readonly type: string }[] {
    return [];
  }

  optOut(address: string, reason: OptOutReason): void {
    this.account.store.suppress(address, REASONS[reason]);
  }

  optIn(address: string): void {
    this.account.store.resubscribe(address);
  }

  addList(name: string): string {
    return this.account.store.addAudience(name, null).id;
  }

  addField(): void {
    // There are no fields to add: any attribute is taken.
  }

  webhooks(optOuts: readonly OptOutEvent[], secret: string, nowMs: number): readonly OutgoingWebhook[] {
    return webhookRequests(this.account, optOuts, secret, nowMs);
  }

  save(): JsonObject {
    return saveStore(this.account.store);
  }

  load(saved: JsonObject): void {
    loadStore(this.account.store, saved);
  }

  reset(): void {
    this.account.store.clear();
    this.window.clear();
  }

  private answer(route: Route, request: ApiRequest, rejects: (address: string) => boolean): Answer | null {
    const { account } = this;
    const isPost = request.method === 'POST';
    switch (route.to) {
      case 'contacts':
        if (request.method === 'GET') return listContacts(account, request);
        return isPost ? postContact(account, request) : null;
      case 'contact':
        return oneContact(account, account.store.get(route.id), request);
      case 'by-email':
        return byEmail(account, request);
      case 'import':
        return isPost ? importJson(account, request, rejects) : null;
      case 'bulk-import':
        return isPost ? importFile(account, request, rejects) : null;
      case 'audiences':
        return allAudiences(account, request);
      case 'audience':
        return oneAudience(account, route.id, request);
      case 'members':
        return members(account, route.id, request);
      case 'member':
        return oneMember(account, route.id, route.contact, request);
      case 'events':
        return allEvents(account, request);
      case 'event':
        return oneEvent(account, route.id, request);
      case 'unsubscribes':
        return allUnsubscribes(account, request);
      case 'unsubscribe-batch':
        return unsubscribeBatch(account, request);
      case 'unsubscribe':
        return oneUnsubscribe(account, route.id, request);
      case 'suppression':
        return allSuppressions(account, request);
      case 'suppressed':
        return oneSuppression(account, route.email, request);
      default:
        return route satisfies never;
    }
  }
}
