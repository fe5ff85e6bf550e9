import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ConsentFact, FactKind } from '../../../src/core/consent/fact.ts';
import { standing } from '../../../src/core/consent/standing.ts';
import type { ConsentPolicy } from '../../../src/core/mapping.ts';
import { mustOptIn } from '../../../src/core/opt-out.ts';
import { factStore } from '../../../src/sql/store/facts.ts';
import { testConfig } from '../../support/config.ts';
import { everyLane, type Installed, installed, REF } from './support.ts';

const NAMES = ['mailtrap', 'brevo', 'sendry'] as const;
const TOPICS: Readonly<Record<string, string>> = { mailtrap: 'news', brevo: 'news', sendry: 'offers' };
const WHO = [0, 1] as const;

type Step =
  | { readonly kind: 'answer'; readonly who: number; readonly says: boolean | null }
  | { readonly kind: 'edit' | 'move'; readonly who: number; readonly n: number }
  | { readonly kind: 'swap' | 'fold' | 'sweep' }
  | { readonly kind: 'no'; readonly from: string; readonly who: number; readonly skewMs: number | null }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'deliver'; readonly to: number; readonly outcome: 'delivered' | 'retry' | 'unknown' };

const who = fc.constantFrom(...WHO);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('answer'), who, says: fc.constantFrom(true, true, false, null) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('edit', 'move'), who, n: fc.nat({ max: 99 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('fold', 'fold', 'fold', 'swap', 'sweep') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('no'),
      from: fc.constantFrom(...NAMES),
      who,
      skewMs: fc.constantFrom(null, 0, 3_600_000, -3_600_000, -1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat') }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('deliver'),
      to: fc.nat({ max: NAMES.length - 1 }),
      outcome: fc.constantFrom('delivered', 'delivered', 'retry', 'unknown'),
    }),
  },
);

/** The ledger as the pure rule reads it. */
async function ledger(one: Installed): Promise<readonly ConsentFact[]> {
  const { rows } = await one.db.app.query(
    `select id, kind, person, address, topic, origin, (extract(epoch from at) * 1000000)::text as at,
            (extract(epoch from received_at) * 1000000)::text as received from rollcall.consent`,
  );
  return rows.map((row) => ({
    id: row.id as string,
    kind: row.kind as FactKind,
    person: row.person ?? undefined,
    address: row.address ?? undefined,
    topic: row.topic ?? undefined,
    origin: row.origin as string,
    at: row.at === null ? undefined : Number(row.at),
    receivedAt: Number(row.received),
  }));
}

test.each<ConsentPolicy>(['global', 'per_destination', 'per_topic'])(
  '%s: no request ever subscribes somebody whose newest fact is a no, and all that was said is told in the end',
  async (consentPolicy) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const base = testConfig().destinations[0]!;
        const one = await installed({
          consent: { kind: 'column', path: ['user_metadata', 'marketing'], line: 1, column: 1 },
          consentPolicy,
          brakes: { deletes: 'off', changes: 'off' },
          destinations: NAMES.map((name) => ({ ...base, name, type: name, topic: TOPICS[name] })),
        });
        await new Run(one, consentPolicy).through(steps);
      }),
      { numRuns: 5 },
    );
  },
  240_000,
);

class Run {
  readonly #one: Installed;
  readonly #policy: ConsentPolicy;
  readonly #facts: ReturnType<typeof factStore>;
  readonly #addresses = ['ann@x.yz', 'bob@x.yz'];
  #ids: readonly string[] = [];
  #last: (() => Promise<void>) | undefined;
  #n = 0;

  constructor(one: Installed, policy: ConsentPolicy) {
    this.#one = one;
    this.#policy = policy;
    const { config } = one;
    this.#facts = factStore(one.db.sql, { configHash: config.hash, projectRef: REF, environment: config.environment });
  }

  async through(steps: readonly Step[]): Promise<void> {
    const ids: string[] = [];
    for (const address of this.#addresses) ids.push(await this.#one.insert(address, { marketing: null }));
    this.#ids = ids;
    for (const each of steps) await this.#step(each);
    await this.#one.foldAll();
    await this.#one.db.app.query(
      `update rollcall.due set due_at = now(), token = null, unknown_until = null, not_before = null`,
    );
    for (let n = 0; n < 3; n += 1) for (let to = 0; to < NAMES.length; to += 1) await this.#deliver(to, 'delivered');
    await this.#check();
  }

  async #step(step: Step): Promise<unknown> {
    const { app } = this.#one.db;
    switch (step.kind) {
      case 'answer':
      case 'edit': {
        const more = step.kind === 'answer' ? { marketing: step.says } : { full_name: `Name ${step.n}` };
        return app.query('update auth.users set raw_user_meta_data = raw_user_meta_data || $2 where id = $1', [
          this.#ids[step.who],
          JSON.stringify(more),
        ]);
      }
      case 'move':
        this.#addresses[step.who] = `${step.who === 0 ? 'ann' : 'bob'}${step.n}@x.yz`;
        return app.query('update auth.users set email = $2 where id = $1', [
          this.#ids[step.who],
          this.#addresses[step.who],
        ]);
      case 'swap':
        this.#addresses.reverse();
        await app.query('update auth.users set email = null');
        for (const [n, id] of this.#ids.entries())
          await app.query('update auth.users set email = $2 where id = $1', [id, this.#addresses[n]]);
        return undefined;
      case 'fold':
        return this.#one.foldAll();
      case 'sweep':
        return this.#one.sweepNow();
      case 'no': {
        this.#n += 1;
        const at = step.skewMs === null ? undefined : (Date.now() + step.skewMs) * 1_000;
        const address = this.#addresses[step.who] ?? '';
        const told = { id: `no ${this.#n}`, kind: 'opt_out', address, at, event: 'unsubscribe' } as const;
        this.#last = () => this.#facts.receive(step.from, [told]);
        return this.#last();
      }
      case 'repeat':
        return this.#last?.();
      case 'deliver':
        return this.#deliver(step.to, step.outcome);
    }
  }

  async #deliver(to: number, outcome: 'delivered' | 'retry' | 'unknown'): Promise<void> {
    const { store, lease } = this.#one;
    const destination = (await store.destinations()).find(({ name }) => name === NAMES[to])!;
    const claimed = await store.claim(destination.id, lease, everyLane(100));
    const facts = await ledger(this.#one);
    for (const delivery of claimed) {
      if (mustOptIn(delivery)) {
        const { rows } = await this.#one.db.app.query('select key from rollcall.contacts where id = $1', [
          delivery.contactId,
        ]);
        const subject = { person: rows[0].key as string, address: delivery.address ?? undefined };
        expect(standing(facts, { ...subject, ...this.#heeded(NAMES[to]!) }).said).toBe('opted_in');
      }
      const said = outcome === 'delivered' ? { kind: outcome } : { kind: outcome, code: 'x', message: 'x' };
      const events: never[] = [];
      await store.settle(destination.id, lease, [{ delivery, outcome: said, events, waitMs: 0, latencyMs: 1 }]);
    }
  }

  #heeded(name: string) {
    if (this.#policy === 'per_destination') return { origin: `destination:${name}` };
    return this.#policy === 'per_topic' ? { topic: TOPICS[name] } : {};
  }

  /** In the end everybody is at each destination as the facts say. */
  async #check(): Promise<void> {
    const facts = await ledger(this.#one);
    const { rows } = await this.#one.db.app.query(
      `select c.key, d.name, s.address, s.consent, s.action, a.answer from rollcall.desired s
         join rollcall.contacts c on c.id = s.contact_id join rollcall.destinations d on d.id = s.destination_id
         left join rollcall.answers a on a.contact_id = c.id where s.action = 'upsert'`,
    );
    for (const row of rows) {
      const subject = { person: row.key as string, address: row.address as string };
      const { said } = standing(facts, { ...subject, ...this.#heeded(row.name as string) });
      const may = row.consent === 'basis' || row.consent === 'opted_in';
      if (said === 'unknown') expect(row.answer === 'basis').toBe(may);
      else expect([row, said === 'opted_in']).toEqual([row, may]);
    }
  }
}
