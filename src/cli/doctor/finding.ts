import type { Config } from '../../config/types.ts';
import type { Send } from '../../engine/ports.ts';
import type { Sql } from '../../sql/port.ts';

export type Severity = 'ok' | 'warn' | 'error';

/** One thing that `rollcall doctor` has looked at. */
export interface Finding {
  readonly severity: Severity;
  /** As in docs/errors.md; null where all is well. */
  readonly code: string | null;
  readonly what: string;
  /** The statement or command that mends it; null where all is well. */
  readonly fix: string | null;
}

/** What a check may look at. */
export interface Place {
  readonly sql: Sql;
  readonly config: Config;
  /** Asks the project's API. */
  readonly send: Send;
  /** Waits that many ms: a queue is looked at twice. */
  readonly pause: (ms: number) => Promise<void>;
}

/** A group of things to look at: what is read is read once, and what follows from it is decided without looking again. */
export interface Check<Facts> {
  /** One word or two, as the view has it. */
  readonly area: string;
  /** @throws the driver's error: then the area counts as not looked at */
  read(at: Place): Promise<Facts>;
  /** Pure. */
  judge(facts: Facts, config: Config): readonly Finding[];
}

export function ok(what: string): Finding {
  return { severity: 'ok', code: null, what, fix: null };
}

export function warn(code: string, what: string, fix: string): Finding {
  return { severity: 'warn', code, what, fix };
}

export function error(code: string, what: string, fix: string): Finding {
  return { severity: 'error', code, what, fix };
}
