/** How many events there are of each state. */
export interface EventCounts {
  readonly pending: number;
  readonly delivered: number;
  readonly dropped: Reasons;
  /** Refused, or impossible to map. */
  readonly dead: Reasons;
}

interface Reasons {
  readonly total: number;
  /** The most frequent first. */
  readonly reasons: readonly (readonly [reason: string, n: number])[];
}

/** Reads `events` of `rollcall.status()`: a state, with a reason where there is one, to a number. */
export function eventCounts(events: Readonly<Record<string, number>>): EventCounts {
  const of = (state: string): Reasons => {
    const found = Object.entries(events).filter(([key]) => key === state || key.startsWith(`${state} `));
    const reasons = found.map(([key, n]) => [key.slice(state.length + 1) || 'unknown', n] as const);
    return {
      total: reasons.reduce((sum, [, n]) => sum + n, 0),
      reasons: reasons.toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)),
    };
  };
  return {
    pending: of('pending').total,
    delivered: of('delivered').total,
    dropped: of('dropped'),
    dead: of('dead'),
  };
}

/** `2 pending; in the last 7 days 1,204 delivered, 3 dropped (2 no contact, 1 filtered)`; undefined when there are none. */
export function describeEvents(events: Readonly<Record<string, number>>): string | undefined {
  const { pending, delivered, dropped, dead } = eventCounts(events);
  if (pending + delivered + dropped.total + dead.total === 0) return undefined;
  const ended = [
    `${delivered.toLocaleString('en-US')} delivered`,
    ...(dropped.total === 0 ? [] : [`${dropped.total.toLocaleString('en-US')} dropped (${listed(dropped)})`]),
    ...(dead.total === 0 ? [] : [`${dead.total.toLocaleString('en-US')} failed`]),
  ];
  return `${pending.toLocaleString('en-US')} pending; in the last 7 days ${ended.join(', ')}`;
}

function listed({ reasons }: Reasons): string {
  return reasons.map(([reason, n]) => `${n.toLocaleString('en-US')} ${reason.replaceAll('_', ' ')}`).join(', ');
}
