import { seededRandom } from '../../../src/sandbox/seeded-random.ts';
import type { Policy } from '../interleaving/tables.ts';
import { APP_KINDS, type AppKind, MOVE_KINDS } from './app.ts';
import { LATE, type Weather, WEATHERS } from './weather.ts';

/** The destinations of every run. */
export const DESTINATIONS = ['mailtrap', 'sendry', 'brevo', 'webhook'] as const;
export type DestinationId = (typeof DESTINATIONS)[number];

export const WORKERS = 3;
/** How long it storms, in ms. */
export const STORM_MS = 3_000;
const APP_ACTS = 70;
/** Where people move all the time. */
const MOVES = 140;

/** Something that happens, and when: ms from the beginning. */
export type Act = { readonly at: number } & (
  | { readonly do: 'app'; readonly kind: AppKind; readonly a: number; readonly b: number; readonly n: number }
  | { readonly do: 'weather'; readonly of: DestinationId; readonly weather: Weather }
  | { readonly do: 'optOut'; readonly of: DestinationId; readonly a: number }
  | { readonly do: 'kill'; readonly worker: number }
  | { readonly do: 'stop'; readonly worker: number; readonly forMs: number }
  | { readonly do: 'crash'; readonly forMs: number }
  | { readonly do: 'full'; readonly forMs: number }
  | { readonly do: 'cut' }
);

/** How a run is set up. */
export interface Setup {
  /** So many that wait go in one request; 0 for none. */
  readonly together: number;
  readonly policy: Policy;
  readonly wake: 'notify' | 'poll';
  /** People move between addresses all the time, so that what is late of one meets another. */
  readonly moving: boolean;
  /** By how much the clock of each worker is wrong, in ms. */
  readonly skewMs: readonly number[];
}

export interface Plan {
  readonly seed: number;
  readonly setup: Setup;
  /** In the order of their times. */
  readonly acts: readonly Act[];
}

/** Everything a seed stands for: the same for the same seed. What the proxy does to each request is drawn as it comes. */
export function planOf(seed: number): Plan {
  const random = seededRandom(seed);
  const chance = (p: number): boolean => random() < p;
  const below = (n: number): number => Math.floor(random() * n);
  const pick = <T>(of: readonly T[]): T => of[below(of.length)]!;
  const when = (): number => Math.round(200 + random() * (STORM_MS - 200));
  const times = <T>(n: number, make: () => T): T[] => Array.from({ length: n }, make);

  const hour = 3_600_000;
  const setup: Setup = {
    together: chance(0.4) ? 6 : 0,
    policy: chance(0.8) ? 'delete' : 'unsubscribe',
    wake: chance(0.7) ? 'notify' : 'poll',
    moving: seededRandom(seed ^ 0xadd)() < 0.35,
    skewMs: times(WORKERS, () => (chance(0.3) ? pick([hour, -hour]) : 0)),
  };
  const weathers = setup.moving ? LATE : WEATHERS;
  const acts: Act[] = [
    ...times(setup.moving ? MOVES : APP_ACTS, (): Act => {
      const [a, b, n] = [below(1_000), below(1_000), below(10)];
      const kind = pick(setup.moving ? MOVE_KINDS : APP_KINDS);
      return { at: Math.round(random() * STORM_MS), do: 'app', kind, a, b, n };
    }),
    ...(setup.moving ? [{ at: 0, do: 'app' as const, kind: 'signUpMany' as const, a: 0, b: 0, n: 0 }] : []),
    ...DESTINATIONS.flatMap((of) => [
      { at: 0, do: 'weather' as const, of, weather: pick(weathers) },
      { at: when(), do: 'weather' as const, of, weather: pick(weathers) },
    ]),
    ...times(below(4), (): Act => ({ at: when(), do: 'optOut', of: pick(DESTINATIONS), a: below(1_000) })),
    ...times(below(3), (): Act => ({ at: when(), do: 'kill', worker: below(WORKERS) })),
    // Now and then for longer than a lease.
    ...times(below(3), (): Act => ({ at: when(), do: 'stop', worker: below(WORKERS), forMs: 200 + below(2_800) })),
    ...(chance(0.35) ? [{ at: when(), do: 'crash' as const, forMs: below(400) }] : []),
    ...(chance(0.35) ? [{ at: when(), do: 'full' as const, forMs: 200 + below(1_000) }] : []),
    ...(chance(0.3) ? [{ at: when(), do: 'cut' as const }] : []),
  ];
  return { seed, setup, acts: acts.toSorted((x, y) => x.at - y.at) };
}

/** A plan as text, for a failure. */
export function showPlan({ seed, setup, acts }: Plan): string {
  const faults = acts.filter((act) => act.do !== 'app').map(({ at, ...act }) => `${at} ms ${JSON.stringify(act)}`);
  return [`seed ${seed}: ${JSON.stringify(setup)}`, ...faults].join('\n');
}
