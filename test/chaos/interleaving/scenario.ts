import fc from 'fast-check';
import { type Choice, SLOTS, type StatementKind } from './statements.ts';
import type { Policy, Setup } from './tables.ts';

/** Connections of the app. */
export const SESSIONS = 4;

const CONTROL = ['begin', 'commit', 'rollback', 'savepoint', 'rollbackTo', 'release'] as const;
const WORKER = ['restart', 'second', 'cut', 'kill'] as const;
const WAIT = ['rest', 'settle'] as const;
/** What a connection does to its transaction. */
export type ControlKind = (typeof CONTROL)[number];
/** What happens to workers: `cut` takes their connections to the database, `kill` is SIGKILL. */
export type WorkerKind = (typeof WORKER)[number];
/** Letting time pass; `settle` until everything committed is delivered. */
export type WaitKind = (typeof WAIT)[number];

/** One thing that happens; the numbers mean what the kind makes of them. */
export interface Step extends Choice {
  readonly do: StatementKind | ControlKind | WorkerKind | WaitKind;
  /** Which connection does it. */
  readonly s: number;
}

/** A whole run, as data. */
export interface Scenario extends Setup {
  /** Latency of the destination, in ms. */
  readonly latency: number;
  /** Whether some people are there before the first step. */
  readonly crowd: boolean;
  readonly steps: readonly Step[];
}

/** How often each kind is drawn. Shrinking goes towards the first. */
const WEIGHTS: Readonly<Record<Step['do'], number>> = {
  rest: 8,
  begin: 16,
  commit: 14,
  rollback: 3,
  savepoint: 4,
  rollbackTo: 3,
  release: 2,
  settle: 4,
  signUp: 10,
  upsertUser: 3,
  signUpMany: 3,
  copyUsers: 2,
  mergeUsers: 3,
  editUser: 4,
  editUsers: 2,
  moveUser: 6,
  swapUsers: 5,
  confirmUser: 2,
  makePermanent: 2,
  banUser: 3,
  softDelete: 2,
  deleteUser: 4,
  deleteUsers: 2,
  rekeyUser: 3,
  putProfile: 5,
  editProfiles: 2,
  rekeyProfile: 2,
  dropProfile: 2,
  addCustomer: 10,
  putCustomer: 5,
  copyCustomers: 3,
  mergeCustomers: 4,
  editCustomer: 4,
  moveCustomer: 5,
  swapCustomers: 4,
  linkCustomer: 4,
  rekeyCustomer: 4,
  archiveCustomer: 4,
  redateCustomers: 2,
  dropCustomer: 4,
  placeOrders: 8,
  orderForAll: 3,
  editOrders: 2,
  moveOrders: 2,
  dropOrders: 2,
  openTicket: 6,
  workTicket: 5,
  workTickets: 3,
  workTwice: 4,
  rekeyTicket: 2,
  giveTickets: 3,
  closeTicket: 3,
  pay: 6,
  editPayments: 2,
  movePayments: 3,
  settlePayments: 2,
  dropPayments: 2,
  truncatePayments: 1,
  restart: 2,
  second: 2,
  cut: 0.7,
  kill: 0.15,
};

const kind: fc.Arbitrary<Step['do']> = fc.oneof(
  { withCrossShrink: true },
  ...Object.entries(WEIGHTS).map(([name, weight]) => ({
    weight: Math.round(weight * 20),
    arbitrary: fc.constant(name as Step['do']),
  })),
);

const below = (count: number): fc.Arbitrary<number> => fc.noBias(fc.nat(count - 1));

const step: fc.Arbitrary<Step> = fc.record({
  do: kind,
  s: below(SESSIONS),
  a: below(SLOTS),
  b: below(SLOTS),
  n: below(10),
});

/** Steps that chance alone would seldom put close together, with the same numbers where that matters. */
const chains: fc.Arbitrary<readonly Step[]> = fc
  .record({ a: below(SLOTS), b: below(SLOTS), n: below(8) })
  .chain((x) => {
    const make = (kind: Step['do'], n = x.n, s = 0): Step => ({ do: kind, s, a: x.a, b: x.b, n });
    return fc.constantFrom<(readonly Step[])[]>(
      // Known by an address alone, with events on their way, when a user comes who has it.
      [
        make('putCustomer'),
        make('rest'),
        make('placeOrders', 5),
        make('rest'),
        make('signUp', 1, 1),
        make('confirmUser'),
      ],
      [make('putCustomer'), make('rest'), make('placeOrders', 5), make('rest'), make('moveUser', 1, 1)],
      // Away and back again, with events in between.
      [make('banUser', 2), make('workTickets'), make('rest'), make('banUser', 0), make('workTickets', 7)],
      [make('moveUser', 9), make('workTickets'), make('rest'), make('moveUser', 1), make('workTickets', 7)],
      [make('archiveCustomer', 0), make('rest'), make('archiveCustomer', 1), make('placeOrders', 5)],
      // A row changes hands while an event that leads through it is on its way.
      [make('placeOrders', 5), make('rest'), make('moveCustomer', 1), make('placeOrders', 6)],
      // An address used again while what was there has to go.
      [make('deleteUser'), make('rest'), make('signUp', 1, 1), make('rest'), make('deleteUser')],
    );
  });

const steps: fc.Arbitrary<readonly Step[]> = fc
  .array(
    fc.oneof(
      { withCrossShrink: true },
      { weight: 20, arbitrary: step.map((one): readonly Step[] => [one]) },
      { weight: 1, arbitrary: chains },
    ),
    { minLength: 1, maxLength: 40, size: 'max' },
  )
  .map((parts) => parts.flat());

export function isControl(kind: Step['do']): kind is ControlKind {
  return (CONTROL as readonly string[]).includes(kind);
}

export function isWorker(kind: Step['do']): kind is WorkerKind {
  return (WORKER as readonly string[]).includes(kind);
}

export function isWait(kind: Step['do']): kind is WaitKind {
  return (WAIT as readonly string[]).includes(kind);
}

// ROLLCALL_INTERLEAVING_TOGETHER makes every run one of imports.
const TOGETHER = process.env['ROLLCALL_INTERLEAVING_TOGETHER'] === undefined ? [0, 0, 2] : [2];

/** Any run. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  policy: fc.constantFrom<Policy[]>('delete', 'unsubscribe', 'keep'),
  wake: fc.constantFrom<Setup['wake'][]>('notify', 'poll'),
  latency: fc.constantFrom(0, 0, 10, 60),
  crowd: fc.constantFrom(false, true, true),
  steps,
  together: fc.constantFrom(...TOGETHER),
});

/** Whether a run may leave an outcome unknown, so that an event may arrive again. */
export function isLossy(scenario: Scenario): boolean {
  return scenario.steps.some((each) => each.do === 'cut' || each.do === 'kill');
}

/** A run as text that can be read, one step a line. */
export function showScenario(scenario: Scenario): string {
  const { policy, wake, latency, crowd, together, steps } = scenario;
  return [
    `on_delete: ${policy}, wake: ${wake}, latency: ${latency} ms, crowd: ${crowd}, together: ${together}`,
    ...steps.map((x, i) => `${i}: s${x.s} ${x.do} a=${x.a} b=${x.b} n=${x.n}`),
  ].join('\n');
}
