import type { ApiReply, ApiRequest } from '../sandbox/api-request.ts';
import type { ContactChangeKind, ShownContact, StandIn, StandInMaker } from '../sandbox/stand-in.ts';

/** A request as it reached the stand-in, with what it answered. */
export interface Call {
  readonly request: ApiRequest;
  readonly reply: ApiReply;
}

/** What happens to calls instead of what the stand-in would do. */
export interface Interference {
  /** Which calls; all when absent. */
  readonly when?: (request: ApiRequest) => boolean;
  /** How many; one when absent. */
  readonly times?: number;
  /** The answer. `act` has the stand-in do what was asked and gives its own. */
  readonly answer: (act: () => ApiReply, request: ApiRequest) => ApiReply;
}

/** A stand-in that tells what it was asked, and can be made to answer otherwise. */
export interface Tap {
  readonly maker: StandInMaker;
  /** The stand-in that was made. */
  readonly vendor: StandIn;
  /** Every call, in order. */
  readonly calls: readonly Call[];
  interfere(rule: Interference): void;
  /** Hears of each contact that is made, changed or deleted. @returns ends it */
  onContact(listener: (kind: ContactChangeKind, contact: ShownContact) => void): () => void;
  /** Ends all interference. */
  clear(): void;
}

/** Puts a tap on what a maker makes. */
export function tapped(maker: StandInMaker): Tap {
  const calls: Call[] = [];
  let rules: { readonly rule: Interference; left: number }[] = [];
  const listeners = new Set<Parameters<Tap['onContact']>[0]>();
  let vendor: StandIn | undefined;

  const handle = (request: ApiRequest, act: () => ApiReply): ApiReply => {
    const found = rules.find(({ rule, left }) => left > 0 && rule.when?.(request) !== false);
    if (found === undefined) return act();
    found.left -= 1;
    return found.rule.answer(act, request);
  };
  return {
    maker: (options) => {
      const made = maker({
        ...options,
        onContact(kind, contact) {
          for (const listener of listeners) listener(kind, contact);
          options.onContact(kind, contact);
        },
      });
      vendor = made;
      return new Proxy(made, {
        get(target, key) {
          if (key === 'gate') {
            return (request: ApiRequest): ApiReply | null => {
              const reply = target.gate(request);
              if (reply !== null) calls.push({ request, reply });
              return reply;
            };
          }
          if (key === 'handle') {
            return (request: ApiRequest, rejects: (address: string) => boolean): ApiReply => {
              const reply = handle(request, () => target.handle(request, rejects));
              calls.push({ request, reply });
              return reply;
            };
          }
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    },
    get vendor() {
      if (vendor === undefined) throw new Error('the sandbox made no stand-in');
      return vendor;
    },
    calls,
    interfere: (rule) => void rules.push({ rule, left: rule.times ?? 1 }),
    onContact(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    clear: () => {
      rules = [];
    },
  };
}
