import { isJsonObject, type JsonObject, renderJson } from '../../../core/json.ts';
import type { ApiReply, ApiRequest, CallSubject } from '../../../sandbox/api-request.ts';
import { RateWindow } from '../../../sandbox/rate-window.ts';
import type { OptOutReason, ShownContact, ShownEvent, StandIn, StandInOptions } from '../../../sandbox/stand-in.ts';
import { secretOfToken } from '../secret.ts';
import { Book } from './book.ts';
import { readMessage } from './message.ts';
import { loadBook, saveBook } from './saved-book.ts';
import { type WebhookSettings, webhookSettings } from './settings.ts';
import { isSigned } from './verify.ts';

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' } as const;

/** A receiver of webhooks: verifies, drops what it has had and what is older than what it knows, and keeps the rest. */
export class WebhookStandIn implements StandIn {
  private readonly options: StandInOptions;
  private readonly settings: WebhookSettings;
  private readonly secret: string;
  private readonly limit: RateWindow;
  private book: Book;

  constructor(options: StandInOptions) {
    this.options = options;
    this.settings = webhookSettings.parse(options.settings);
    this.secret = secretOfToken(options.token);
    const requests = Math.floor(this.settings.requestsPerSecond * options.limitsScale);
    this.limit = new RateWindow(requests, 1_000, options.now);
    this.book = this.emptyBook();
  }

  subject(request: ApiRequest): CallSubject {
    const body = request.body === '' ? undefined : request.json()?.value;
    const data = isJsonObject(body) ? body['data'] : undefined;
    const contact = isJsonObject(data) ? data['contact'] : undefined;
    const { address, previous_addresses: previous } = isJsonObject(contact) ? contact : {};
    const emails = [address, ...(Array.isArray(previous) ? previous : [])].flatMap((each) =>
      typeof each === 'string' ? [each.toLowerCase()] : [],
    );
    return { emails, writesContact: isJsonObject(body) && body['type'] === 'contact.upserted' };
  }

  gate(request: ApiRequest): ApiReply | null {
    if (request.path !== '/' && request.path !== '') return this.failure(404);
    if (request.method !== 'POST') return this.failure(405);
    if (!isSigned(request, this.secret, this.options.now(), this.settings.toleranceMs)) return this.failure(401);
    if (this.settings.gone) return this.failure(410);
    // A whole window, so that whoever waits it out is let in.
    if (this.limit.remaining() < 1) return this.failure(429, 1);
    this.limit.take();
    return null;
  }

  handle(request: ApiRequest): ApiReply {
    const message = readMessage(request.json()?.value);
    if (message === undefined) return this.failure(400);
    this.book.take(String(request.headers['webhook-id']), message);
    return { status: 204, body: null };
  }

  failure(status: number, retryAfter?: number): ApiReply {
    const headers: Record<string, string> = { ...JSON_HEADERS };
    // Inwards, where no sender may follow.
    if (status >= 300 && status < 400) headers['Location'] = `${this.options.url()}/elsewhere`;
    if (retryAfter !== undefined) headers['Retry-After'] = String(retryAfter);
    return { status, headers, body: renderJson({ error: WORDS[status] ?? `status ${status}` }) };
  }

  refusal(): ApiReply {
    return this.failure(422);
  }

  bodyLimit(): number {
    return this.settings.maxBytes;
  }

  commonHeaders(): Readonly<Record<string, string>> {
    return {};
  }

  get contactCount(): number {
    return this.book.contacts.size;
  }

  *contacts(): Iterable<ShownContact> {
    for (const contact of this.book.contacts.values()) yield this.book.show(contact);
  }

  contact(idOrAddress: string): ShownContact | undefined {
    const contact = this.book.find(idOrAddress);
    return contact === undefined ? undefined : this.book.show(contact);
  }

  events(): readonly ShownEvent[] {
    return [...this.book.events.list];
  }

  get eventCount(): number {
    return this.book.events.total;
  }

  /** It has none: a receiver takes any attribute, and is told of no lists. */
  lists(): readonly { readonly id: string; readonly name: string }[] {
    return [];
  }

  fields(): readonly { readonly name: string; readonly type: string }[] {
    return [];
  }

  optOut(address: string, _reason: OptOutReason): void {
    this.book.optOut(address);
  }

  optIn(address: string): void {
    this.book.optIn(address);
  }

  addList(name: string): string {
    return name;
  }

  addField(): void {
    // Any attribute is taken as it comes.
  }

  save(): JsonObject {
    return saveBook(this.book);
  }

  load(saved: JsonObject): void {
    const book = this.emptyBook();
    loadBook(book, saved);
    this.book = book;
  }

  reset(): void {
    this.book.clear();
    this.limit.clear();
  }

  private emptyBook(): Book {
    const { now, onContact, onEvent } = this.options;
    return new Book(now, onContact, onEvent);
  }
}

const WORDS: Readonly<Record<number, string>> = {
  400: 'this is no message that I know',
  401: 'the signature is not valid',
  404: 'there is no receiver at this path',
  410: 'no more messages, please',
  413: 'the message is too large',
  422: 'the contact is not valid',
  429: 'too many messages',
};
