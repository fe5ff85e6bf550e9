import { renderJson, type Json } from '../core/json.ts';
import type { SandboxCall, SandboxCounters } from './call-log.ts';
import type { SandboxDestination } from './served.ts';
import { asJson } from './shown.ts';
import type { ShownContact, ShownEvent, StandIn } from './stand-in.ts';

/** How often news are sent on (milliseconds): a page can't show more, and thousands of calls become ten lines a second. */
const FLUSH_MS = 100;
/** Most calls, most events and most contacts in one line; the rest is counted as skipped. */
const MAX_NEWS = 200;

export interface ChangeSource {
  readonly destinations: readonly SandboxDestination[];
  /** The newest contacts of one, oldest first. */
  readonly newest: (destination: SandboxDestination) => readonly ShownContact[];
  readonly calls: (count: number) => readonly SandboxCall[];
  readonly counters: () => SandboxCounters;
  readonly faults: () => Json;
}

/** An event with the id of its destination. */
export type NamedEvent = ShownEvent & { readonly destination: string };

/**
 * Streams of what changes, as lines of JSON: first `{"type":"hello",contacts,events,calls,counters,destinations,faults}`, then
 * `{"type":"news",...}` with `changes` `[{destination,id,kind,contact}]`, `events`, `calls` and `skipped`. `destinations` has the
 * totals of each. A view for people: a reader too slow for it misses lines' worth of news (counted in `skipped`), and the
 * sandbox never waits for one.
 */
export class ChangeStreams {
  private readonly source: ChangeSource;
  private readonly open_ = new Set<ChangeStream>();

  constructor(source: ChangeSource) {
    this.source = source;
  }

  get watched(): boolean {
    return this.open_.size > 0;
  }

  open(): ReadableStream<Uint8Array> {
    const stream = new ChangeStream(this.source, () => void this.open_.delete(stream));
    this.open_.add(stream);
    return stream.readable;
  }

  call(call: SandboxCall): void {
    for (const stream of this.open_) stream.call(call);
  }

  contact(destination: string, id: string, kind: string): void {
    for (const stream of this.open_) stream.contact(destination, id, kind);
  }

  /** Everything may have changed: all begin again. */
  restart(): void {
    for (const stream of this.open_) stream.restart();
  }

  event(event: NamedEvent): void {
    for (const stream of this.open_) stream.event(event);
  }

  close(): void {
    for (const stream of this.open_) stream.close();
    this.open_.clear();
  }
}

class ChangeStream {
  readonly readable: ReadableStream<Uint8Array>;
  private readonly source: ChangeSource;
  private readonly encoder = new TextEncoder();
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private calls: SandboxCall[] = [];
  private events: NamedEvent[] = [];
  /** By destination and id, oldest first. */
  private readonly changed = new Map<string, { destination: string; id: string; kind: string }>();
  private skipped = 0;
  private again = false;

  constructor(source: ChangeSource, onEnd: () => void) {
    this.source = source;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.controller = controller;
          this.hello();
        },
        pull: () => this.arm(),
        cancel: () => {
          this.end();
          onEnd();
        },
      },
      { highWaterMark: 4 },
    );
  }

  call(call: SandboxCall): void {
    this.calls.push(call);
    this.calls = this.bounded(this.calls);
    this.arm();
  }

  event(event: NamedEvent): void {
    this.events.push(event);
    this.events = this.bounded(this.events);
    this.arm();
  }

  contact(destination: string, id: string, kind: string): void {
    const key = `${destination} ${id}`;
    const first = this.changed.get(key)?.kind;
    this.changed.delete(key);
    this.changed.set(key, { destination, id, kind: first === 'created' && kind !== 'deleted' ? first : kind });
    if (this.changed.size > MAX_NEWS) {
      const [oldest] = this.changed.keys();
      this.changed.delete(oldest!);
      this.skipped += 1;
    }
    this.arm();
  }

  restart(): void {
    this.again = true;
    this.arm();
  }

  close(): void {
    if (this.controller === undefined) return;
    this.controller.close();
    this.end();
  }

  private bounded<News>(news: News[]): News[] {
    if (news.length <= MAX_NEWS * 2) return news;
    this.skipped += MAX_NEWS;
    return news.slice(MAX_NEWS);
  }

  private arm(): void {
    if (this.again || this.calls.length + this.events.length + this.changed.size > 0)
      this.timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref();
  }

  private flush(): void {
    this.timer = undefined;
    // A reader that is behind gets nothing more until it pulls; news are kept up to the bounds above.
    if (this.controller === undefined || (this.controller.desiredSize ?? 0) <= 0) return;
    if (this.again) {
      this.forget();
      this.hello();
      return;
    }
    const calls = this.calls.slice(-MAX_NEWS);
    const events = this.events.slice(-MAX_NEWS);
    const changes = Array.from(this.changed.values(), (change) => ({
      ...change,
      contact: asJson(this.standIn(change.destination)?.contact(change.id) ?? null),
    }));
    const skipped = this.skipped + this.calls.length - calls.length + this.events.length - events.length;
    this.forget();
    this.send({
      type: 'news',
      changes,
      events: events.map(asJson),
      calls: calls.map(callLine),
      skipped,
      ...this.totals(),
    });
  }

  private hello(): void {
    const { destinations, newest, calls } = this.source;
    const contacts = destinations
      .flatMap((destination) => newest(destination).map((contact) => ({ destination: destination.id, ...contact })))
      .toSorted((a, b) => a.createdAt - b.createdAt)
      .slice(-MAX_NEWS);
    const events = destinations
      .flatMap(({ id, standIn }) =>
        standIn
          .events()
          .slice(-MAX_NEWS)
          .map((event) => ({ destination: id, ...event })),
      )
      .toSorted((a, b) => a.at - b.at)
      .slice(-MAX_NEWS);
    this.send({
      type: 'hello',
      contacts: contacts.map(asJson),
      events: events.map(asJson),
      calls: calls(MAX_NEWS).map(callLine),
      ...this.totals(),
    });
  }

  private totals(): Readonly<Record<'counters' | 'destinations' | 'faults', Json>> {
    const { source } = this;
    return {
      counters: { ...source.counters() },
      faults: source.faults(),
      destinations: source.destinations.map(({ id, standIn }) => ({
        id,
        contacts: standIn.contactCount,
        events: standIn.eventCount,
        webhooks: standIn.webhooks !== undefined,
      })),
    };
  }

  private standIn(id: string): StandIn | undefined {
    return this.source.destinations.find((destination) => destination.id === id)?.standIn;
  }

  private send(line: Json): void {
    this.controller?.enqueue(this.encoder.encode(`${renderJson(line)}\n`));
  }

  private forget(): void {
    this.calls = [];
    this.events = [];
    this.changed.clear();
    this.skipped = 0;
    this.again = false;
  }

  private end(): void {
    clearTimeout(this.timer);
    this.controller = undefined;
    this.forget();
  }
}

/** A call without its headers and bodies. */
export function callLine(call: SandboxCall): Json {
  const { n, at, destination, method, path, status, fault } = call;
  return { n, at, destination, method, path, status, ms: Math.round(call.ms * 100) / 100, fault };
}
