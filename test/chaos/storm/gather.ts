import { readFile } from 'node:fs/promises';
import type { Sandbox } from '../../../src/sandbox/types.ts';
import type { AppSide } from './app-side.ts';
import type { Crew } from './crew.ts';
import { type Change, type Evidence, exchangeOf, type Sent } from './evidence.ts';
import { type DestinationId, DESTINATIONS, type Plan } from './plan.ts';
import type { Proxy } from './proxy.ts';
import { LEFTOVERS, TABLES } from './quiet.ts';

/**
 * All that is known of a run, once it is quiet and its workers have ended.
 * @param stormed what happened that only the storm knows
 * @param sends the file that the workers' witness wrote
 */
export async function gather(
  { plan, app, crew, proxy, sandbox }: { plan: Plan; app: AppSide; crew: Crew; proxy: Proxy; sandbox: Sandbox },
  changes: readonly Change[],
  stormed: Pick<Evidence, 'outages' | 'optOuts' | 'fullTurns'>,
  sends: string,
): Promise<Evidence> {
  const of = <T>(read: (id: DestinationId) => T): Record<DestinationId, T> =>
    Object.fromEntries(DESTINATIONS.map((id) => [id, read(id)])) as Record<DestinationId, T>;
  const history = await app.history();
  const numbers = await app.query<{ address: string; n: string }>(
    `select u.address, x.raw_user_meta_data ->> 'n' as n from oracle.users u join auth.users x on x.id = u.id where u.standing = 'ok'`,
  );
  const leftovers = await app.query<{ what: string }>(LEFTOVERS);
  const { sent, answered } = await readSends(sends);
  const times = new Map(sent.map(({ id, at }) => [id, at]));
  return {
    plan,
    history,
    numbers: new Map(numbers.map(({ address, n }) => [address, Number(n)])),
    contacts: of((id) => [...sandbox.of(id).standIn.contacts()]),
    events: of((id) => sandbox.of(id).standIn.events()),
    changes,
    calls: sandbox.calls().map((call) => Object.assign(call, { exchange: exchangeOf(call) })),
    exchanges: proxy.exchanges,
    absences: crew.absences,
    sends: sent,
    answered,
    sentAt: ({ sentAs, arrivedAt }) => times.get(sentAs) ?? arrivedAt,
    ...stormed,
    appErrors: app.errors,
    failures: crew.failures,
    lines: crew.workers.flatMap(({ lines }) => lines),
    complaints: crew.workers.flatMap(({ complaints }) => complaints),
    leftovers: leftovers.map(({ what }) => what),
    tables: (await app.query(TABLES))[0] ?? {},
  };
}

async function readSends(file: string): Promise<{ sent: readonly Sent[]; answered: ReadonlySet<string> }> {
  const text = await readFile(file, 'utf8').catch(() => '');
  // A killed worker may leave half a line.
  const written = text
    .split('\n')
    .flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as Sent | { readonly answered: string }] : []));
  return {
    sent: written.flatMap((each) => ('answered' in each ? [] : [each])),
    answered: new Set(written.flatMap((each) => ('answered' in each ? [each.answered] : []))),
  };
}
