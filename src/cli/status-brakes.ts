import { count, utc } from './layout.ts';
import type { BrakeKind, BrakeStatus, DestinationStatus } from './status-document.ts';
import type { Problem } from './status-problems.ts';

/** `12 deletions`, `1 change`. */
export function countOfKind(n: number, kind: BrakeKind): string {
  return kind === 'deletes' ? count(n, 'deletion') : count(n, 'change');
}

/** `more than 2% of contacts (and at least 10) in an hour`. */
export function limitText({ share, least }: Pick<BrakeStatus, 'share' | 'least'>): string {
  return `more than ${percent(share)} of contacts (and at least ${least.toLocaleString('en-US')}) in an hour`;
}

/** `2.3%`, without the noise of floating point. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(8))}%`;
}

/** `12 deletions held since 2026-01-02 03:04 UTC`. */
export function heldText(n: number, kind: BrakeKind, since: string | null): string {
  const when = since === null ? '' : ` since ${utc(since)}`;
  return `${countOfKind(n, kind)} held${when}`;
}

/** What is held at a destination, and what to do. @param named whether its name has to be said in the command */
export function brakeProblems({ name, brakes }: DestinationStatus, named: boolean): readonly Problem[] {
  return brakes.map(({ kind, held, stopped_at: since, ...limit }) => ({
    code: 'RC_BRAKE',
    message: `${name}: ${heldText(held, kind, since)}, as there were ${limitText(limit)}.`,
    hint: `${CHECK[kind]} \`rollcall release --${kind} ${held}${named ? ` --destination ${name}` : ''}\` lets them go.`,
  }));
}

const CHECK: Readonly<Record<BrakeKind, string>> = {
  deletes:
    'None of them is deleted there. If people are missing in auth.users or your tables, restore them: who is back is held no longer. If they shall leave,',
  changes: 'None of them is sent. If your tables hold wrong values, restore them. If they are right,',
};
