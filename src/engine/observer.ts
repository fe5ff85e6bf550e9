import type { Outcome, OutcomeKind } from '../core/outcome.ts';
import type { FoldResult, Logger } from './ports.ts';
import type { SweepReport } from './sweep-report.ts';
import { codeOf } from './trouble.ts';

/** When something began, in ms since the epoch, and how long it took. */
export interface Took {
  readonly at: number;
  readonly ms: number;
}

/** So many contacts or events with one outcome. */
export interface Tally {
  readonly of: 'contact' | 'event';
  readonly outcome: OutcomeKind;
  /** `Outcome.code`; empty when it was delivered. */
  readonly code: string;
  readonly count: number;
}

/**
 * What this worker does, as it passes through the engine's ports. Destinations are names of the config. There is nobody in it:
 * neither ids nor addresses of contacts, nor a destination's own words.
 */
export type Observation =
  | ({ readonly what: 'fold'; readonly result: FoldResult } & Took)
  | ({ readonly what: 'claim'; readonly destination: string; readonly contacts: number } & Took)
  /** A request begins; `send` tells of its end. */
  | { readonly what: 'sending'; readonly destination: string }
  | ({
      readonly what: 'send';
      readonly destination: string;
      /** Undefined when no answer came; `code` says why then. */
      readonly status: number | undefined;
      readonly code: string | undefined;
    } & Took)
  | ({ readonly what: 'settle'; readonly destination: string; readonly tallies: readonly Tally[] } & Took)
  /** The shared limit gave no permit and said how long to wait. */
  | {
      readonly what: 'limit';
      readonly destination: string;
      readonly buckets: readonly string[];
      readonly waitMs: number;
    }
  /** The destination asked for a rest. */
  | { readonly what: 'hold'; readonly destination: string; readonly waitMs: number }
  /** A request for many has ended. */
  | ({
      readonly what: 'job';
      readonly destination: string;
      readonly outcome: OutcomeKind;
      readonly code: string;
    } & Took)
  | { readonly what: 'sweep'; readonly report: SweepReport }
  /** A destination called the receiver of its webhooks: so many facts were stored, or it was refused. */
  | { readonly what: 'webhook'; readonly destination: string; readonly result: string; readonly facts: number }
  | { readonly what: 'pause'; readonly destination: string; readonly code: string }
  /** The store failed at it. */
  | ({ readonly what: 'trouble'; readonly during: string; readonly code: string } & Took);

/** Told of everything, synchronously. What it throws is a mistake of its own. */
export type Observer = (observation: Observation) => void;

/** All observers as one that never throws: a mistake of one is logged once and hurts nobody. */
export function observeAll(observers: readonly Observer[], log: Logger): Observer {
  const failed = new Set<Observer>();
  return (observation) => {
    for (const observer of observers) {
      try {
        observer(observation);
      } catch (error) {
        if (failed.has(observer)) continue;
        failed.add(observer);
        log.warn(
          { what: observation.what, code: codeOf(error) },
          'metrics, spans or a debug log failed because of a mistake in Rollcall; please report it',
        );
      }
    }
  };
}

/** Outcomes counted by kind and code. */
export function tally(outcomes: readonly { readonly of: Tally['of']; readonly outcome: Outcome }[]): readonly Tally[] {
  const counts = new Map<string, Tally>();
  for (const { of, outcome } of outcomes) {
    const code = codeIn(outcome);
    const key = `${of} ${outcome.kind} ${code}`;
    counts.set(key, { of, outcome: outcome.kind, code, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()];
}

/** What an observer is told of the cause of an outcome; empty when it was delivered. */
export function codeIn(outcome: Outcome): string {
  return outcome.kind === 'delivered' ? '' : outcome.code;
}
