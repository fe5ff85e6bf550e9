/** A text of the product, and what stands there when it is broken. */
export interface Edit {
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

/** The product without one of the things that it promises by. */
export interface Break {
  readonly name: string;
  /** What goes wrong then. */
  readonly wrong: string;
  readonly edits: readonly Edit[];
  /** A seed that has found it, which is played first. Processes never run quite alike: the next ones are played where it does not. */
  readonly seed: number;
}

const SETTLE = 'src/sql/functions/settle.ts';

export const BREAKS: readonly Break[] = [
  {
    name: 'versions',
    wrong: 'whatever was sent counts as what is wanted by now',
    edits: [
      {
        file: SETTLE,
        from: `when r.outcome = 'delivered' then greatest(s.delivered_version, r.version)`,
        to: `when r.outcome = 'delivered' then s.version`,
      },
      { file: SETTLE, from: `else r.version = r.wanted and (r.outcome`, to: `else true and (r.outcome` },
    ],
    seed: 101,
  },
  {
    name: 'lease',
    wrong: 'whoever lost a lease settles as if it were still theirs',
    edits: [{ file: SETTLE, from: `coalesce(d.token = l.token, false), d.tries`, to: `true, d.tries` }],
    seed: 103,
  },
  {
    name: 'limits',
    wrong: 'a quarter more leaves than the limit says',
    edits: [
      {
        file: 'src/core/rate.ts',
        from: `const requests = Math.max(1, Math.floor(limit.requests));`,
        to: `const requests = Math.ceil(Math.max(1, limit.requests) * 1.25);`,
      },
    ],
    seed: 101,
  },
  {
    name: 'grace',
    wrong: 'what may still arrive is not followed by anything after the grace',
    edits: [
      {
        file: SETTLE,
        from: `when j.outcome = 'unknown' then rollcall.doubts(j.unknown_until, v_now + p_grace)`,
        to: `when j.outcome = 'unknown' then j.unknown_until`,
      },
      {
        file: 'src/sql/functions/claim.ts',
        from: `unknown_until = case when d.token is not null then rollcall.doubts(d.unknown_until, d.due_at + p_grace) else d.unknown_until end`,
        to: `unknown_until = d.unknown_until`,
      },
    ],
    seed: 14,
  },
  {
    name: 'takeover',
    wrong: 'what may still arrive of a former owner of an address is cleared once, and not again after it',
    edits: [
      { file: SETTLE, from: ` and coalesce(r.unknown_until <= r.claimed_at, true)) as takeover`, to: `) as takeover` },
    ],
    seed: 123,
  },
  {
    name: 'leftovers',
    wrong: 'an address that was left is forgotten while an attempt for it may still arrive',
    edits: [
      {
        file: SETTLE,
        from: `case when c.cleared and s.version = r.version then null`,
        to: `case when r.outcome = 'delivered' and r.held and s.version = r.version then null`,
      },
    ],
    seed: 122,
  },
  {
    name: 'queue',
    wrong: 'who takes an address from one who waits for a request in flight for it does not wait',
    edits: [
      {
        file: 'src/sql/functions/fold-careful.ts',
        from: `greatest(case when d.token is not null then d.due_at end, d.not_before) as free`,
        to: `case when d.token is not null then d.due_at end as free`,
      },
    ],
    seed: 128,
  },
  {
    name: 'taken',
    wrong: 'an address that was taken from another since the claim is thought to be the one of the request',
    edits: [
      { file: SETTLE, from: `s.remote_address is distinct from r.touched as taken_since`, to: `false as taken_since` },
      {
        file: SETTLE,
        from: `case when c.cleared and s.version = r.version then null`,
        to: `case when c.cleared then null`,
      },
    ],
    seed: 123,
  },
  {
    name: 'clock',
    wrong: 'signatures tell the time of the machine that a worker runs on',
    edits: [
      {
        file: 'src/homes/worker.ts',
        from: `createUndiciSend({ now: clock })`,
        to: `createUndiciSend()`,
      },
    ],
    seed: 108,
  },
];
