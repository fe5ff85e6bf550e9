import { renderJson, type Json } from '../core/json.ts';
import type { SandboxCall, SandboxCounters } from './call-log.ts';

/** How often news are sent on (milliseconds): a page can't show more, and thousands of calls become ten lines a second. */
const FLUSH_MS = 100;
/** Most calls, most events and most contacts in one line; the rest is counted as skipped. */
const MAX_NEWS = 200;

export interface ChangeSource {
  /** The newest contacts to begin with, oldest first. */
  readonly contacts: (count: number) => readonly Json[];
  readonly calls: (count: number) => readonly SandboxCall[];
  readonly counters: () => SandboxCounters;
  readonly contactCount: () => number;
  /** The last events, oldest first. */
  readonly events: (count: number) => readonly Json[];
  readonly eventCount: () => number;
  /** One contact now, or null when it is gone. */
  readonly contact: (id: string) => Json;
}

/**
 * Streams of what changes, as lines of JSON: first `{"type":"hello",contacts,events,calls,counters,contactCount,eventCount}`, then
 * `{"type":"news",...}` with `changes` `[{id,kind,contact}]`, `events`, `calls` and `skipped`. A view for people: a reader too slow
 * for it misses lines' worth of news (counted in `skipped`), and the sandbox never waits for one.
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

  contact(id: string, kind: string): void {
    for (const stream of this.open_) stream.contact(id, kind);
  }

  event(event: Json): void {
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
  private events: Json[] = [];
  private readonly changed = new Map<string, string>();
  private skipped = 0;

  constructor(source: ChangeSource, onEnd: () => void) {
    this.source = source;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.controller = controller;
          this.send({
            type: 'hello',
            contacts: source.contacts(MAX_NEWS),
            events: source.events(MAX_NEWS),
            calls: source.calls(MAX_NEWS).map(callLine),
            ...this.totals(),
          });
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

  event(event: Json): void {
    this.events.push(event);
    this.events = this.bounded(this.events);
    this.arm();
  }

  contact(id: string, kind: string): void {
    const first = this.changed.get(id);
    this.changed.delete(id);
    this.changed.set(id, first === 'created' && kind !== 'deleted' ? first : kind);
    if (this.changed.size > MAX_NEWS) {
      const [oldest] = this.changed.keys();
      this.changed.delete(oldest!);
      this.skipped += 1;
    }
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
    if (this.calls.length + this.events.length + this.changed.size > 0)
      this.timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref();
  }

  private flush(): void {
    this.timer = undefined;
    // A reader that is behind gets nothing more until it pulls; news are kept up to the bounds above.
    if (this.controller === undefined || (this.controller.desiredSize ?? 0) <= 0) return;
    const calls = this.calls.slice(-MAX_NEWS);
    const events = this.events.slice(-MAX_NEWS);
    const changes = [...this.changed].map(([id, kind]) => ({ id, kind, contact: this.source.contact(id) }));
    const skipped = this.skipped + this.calls.length - calls.length + this.events.length - events.length;
    this.calls = [];
    this.events = [];
    this.changed.clear();
    this.skipped = 0;
    this.send({ type: 'news', changes, events, calls: calls.map(callLine), skipped, ...this.totals() });
  }

  private totals(): { counters: Json; contactCount: number; eventCount: number } {
    const { source } = this;
    return {
      counters: { ...source.counters() },
      contactCount: source.contactCount(),
      eventCount: source.eventCount(),
    };
  }

  private send(line: Json): void {
    this.controller?.enqueue(this.encoder.encode(`${renderJson(line)}\n`));
  }

  private end(): void {
    clearTimeout(this.timer);
    this.controller = undefined;
    this.calls = [];
    this.events = [];
    this.changed.clear();
  }
}

function callLine(call: SandboxCall): Json {
  const { n, at, method, path, status, fault } = call;
  return { n, at, method, path, status, ms: Math.round(call.ms * 100) / 100, fault };
}
