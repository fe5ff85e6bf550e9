import type { AttributePlan, Exchange, HttpRequest } from '../core/destination.ts';
import type { JsonObject } from '../core/json.ts';
import type { AttributeType } from '../core/mapping.ts';
import type { Outcome } from '../core/outcome.ts';
import { withSegmentLists } from '../core/segments.ts';
import { withListIds } from '../engine/list-ids.ts';
import { perform } from '../engine/perform.ts';
import type { Claimed, Send, SendResult } from '../engine/ports.ts';
import type { ContactChangeKind, ShownContact, StandIn } from '../sandbox/stand-in.ts';
import type { FaultRule } from '../sandbox/faults.ts';
import { createUndiciSend } from '../transport/undici.ts';
import { bare, delivery } from './delivery.ts';
import { frozen } from './freeze.ts';
import type { ConformanceKit } from './kit.ts';
import { must } from './must.ts';
import { type Tap, tapped } from './tap.ts';
import { serve } from './serve.ts';

/** The attributes that the suite maps, one of each type. */
export const PLAN: Readonly<
  Record<'NOTE' | 'CITY' | 'SCORE' | 'RATIO' | 'MEMBER' | 'BIRTHDAY' | 'SEEN' | 'EXTRA', AttributeType>
> = {
  NOTE: 'text',
  CITY: 'text',
  SCORE: 'integer',
  RATIO: 'float',
  MEMBER: 'boolean',
  BIRTHDAY: 'date',
  SEEN: 'timestamp',
  EXTRA: 'json',
};

/** What became of one unit of work. */
export interface Unit {
  /** Undefined when there was no state to send. */
  readonly state: Outcome | undefined;
  readonly partial: { readonly remoteId: string | undefined } | undefined;
  readonly events: readonly Outcome[];
}

/** One destination against its stand-in: the real transport, and the engine's own way of sending a unit of work. */
export interface Bench extends Pick<Tap, 'calls' | 'interfere'> {
  readonly kit: ConformanceKit;
  readonly destination: ConformanceKit['destination'];
  /** Checked, frozen, and with the ids of lists. */
  readonly config: unknown;
  readonly plan: AttributePlan;
  readonly vendor: StandIn;
  readonly url: string;
  /** The key that the stand-in accepts. */
  readonly secret: string;
  addFaults(rules: readonly FaultRule[]): void;
  /**
   * Puts faults in force for the n-th request from now, and for no other.
   * @returns whether it was sent
   */
  faultAt(n: number, rules: readonly FaultRule[]): () => boolean;
  /** Ends all interference and all faults. */
  clear(): void;
  /** Hears of each contact that is made, changed or deleted. @returns ends it */
  onContact(listener: (kind: ContactChangeKind, contact: ShownContact) => void): () => void;
  /** A version later than all before. */
  nextVersion(): string;
  perform(parts: Partial<Claimed>, deadlineMs?: number): Promise<Unit>;
  send(request: HttpRequest, config?: unknown): Promise<SendResult>;
  /** Does an exchange; gives what stopped it as an outcome. */
  ask<Value>(exchange: Exchange<Value>): Promise<Value | { readonly stopped: Outcome }>;
  /** Does an exchange that must go well. */
  read<Value>(exchange: Exchange<Value>): Promise<Value>;
  close(): Promise<void>;
}

const DEADLINE_MS = 10_000;

/**
 * Starts a stand-in and turns a destination to it; fields that attributes are stored in are made.
 * @param lists names of lists that stand there and are joined
 * @param segments names of lists that stand there and are kept
 * @throws AssertionError when the destination's own description of itself does not fit
 */
export async function openBench(
  kit: ConformanceKit,
  lists: readonly string[] = [],
  more: JsonObject = {},
  segments: readonly string[] = [],
): Promise<Bench> {
  const { destination } = kit;
  const tap = tapped(kit.standIn);
  const sandbox = await serve(destination.id, tap.maker, kit.settings ?? {});
  const transport = createUndiciSend();
  const { url, secret } = sandbox;
  const close = async (): Promise<void> => {
    await transport.close();
    await sandbox.close();
  };
  try {
    const joined = lists.slice(0, destination.lists?.most);
    for (const name of [...lists, ...segments]) tap.vendor.addList(name);
    const options = {
      ...destination.standIn(url, secret),
      ...kit.options,
      ...(joined.length > 0 ? { lists: joined } : {}),
      ...more,
    };
    const parsed = destination.config.safeParse(options);
    must(parsed.success, `the options of \`standIn\` are a valid config: ${parsed.error?.message ?? ''}`);
    let fault: { left: number; readonly rules: readonly FaultRule[] } | undefined;
    let sent = 0;
    let version = 0;
    const nextVersion = (): string => {
      version += 1;
      return String(version);
    };
    const send: Send = (request, auth, how) => {
      sent += 1;
      if (fault !== undefined) {
        fault.left -= 1;
        if (fault.left === 0) sandbox.addFaults(fault.rules.map((rule) => ({ ...rule, count: 1 })));
      }
      return transport.send(request, auth, how);
    };
    let config: unknown = frozen(withSegmentLists(parsed.data, segments));
    config = frozen(await withListIds(destination, config, send));
    const ask: Bench['ask'] = async (exchange) => {
      const sent = await send(exchange.request, destination.auth(config), { deadlineMs: DEADLINE_MS });
      const read = sent.answered ? exchange.interpret(sent.response) : { ok: false as const, outcome: sent.outcome };
      return read.ok ? read.value : { stopped: read.outcome };
    };
    const read: Bench['read'] = async (exchange) => {
      const value = await ask(exchange);
      if (typeof value === 'object' && value !== null && 'stopped' in value) {
        const { method, url: asked } = exchange.request;
        must(false, `${method} ${asked} is answered, and its answer is read`, value.stopped);
      }
      return value;
    };
    if (destination.fields !== undefined) {
      for (const [name, type] of Object.entries(PLAN)) await read(destination.fields.create(name, type, config));
    }
    return {
      kit,
      destination,
      config,
      plan: frozen({ ...PLAN }),
      vendor: tap.vendor,
      calls: tap.calls,
      url,
      secret,
      interfere: (rule) => tap.interfere(rule),
      addFaults: (rules) => sandbox.addFaults(rules),
      faultAt(n, rules) {
        const set = { left: n, rules };
        fault = set;
        return () => set.left <= 0;
      },
      onContact: (listener) => tap.onContact(listener),
      clear() {
        fault = undefined;
        tap.clear();
        sandbox.clearFaults();
      },
      nextVersion,
      async perform(parts, deadlineMs = DEADLINE_MS) {
        const unit = frozen(delivery({ version: nextVersion(), ...parts }));
        const before = sent;
        const performed = await perform(unit, {
          destination,
          config,
          plan: PLAN,
          bytesPerRequest: destination.limits(config).bytesPerRequest,
          send,
          eventsAtMostOnce: false,
          permit: async () => true,
          deadlineMs: () => deadlineMs,
          onMistake: (error) => {
            throw error;
          },
        });
        must(performed.begun, 'the engine begins every unit of work');
        const { state, events } = performed;
        const silent = state?.outcome.kind === 'delivered' && sent === before;
        must(
          !silent || unit.action !== 'upsert',
          'an upsert is sent: `encode` gives at least one operation for it',
          bare(unit),
        );
        return { state: state?.outcome, partial: state?.partial, events: events.map(({ outcome }) => outcome) };
      },
      send: (request, use = config) => send(request, destination.auth(use), { deadlineMs: DEADLINE_MS }),
      ask,
      read,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
