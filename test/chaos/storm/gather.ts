import { readFile } from 'node:fs/promises';
import type { Sandbox } from '../../../src/sandbox/types.ts';
import type { AppSide } from './app-side.ts';
import { ownerOf } from './app.ts';
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
  const users = await app.query<{ address: string; id: string; n: string }>(
    `select u.address, u.id, x.raw_user_meta_data ->> 'n' as n from oracle.users u join auth.users x on x.id = u.id where u.standing = 'ok'`,
  );
  const leftovers = await app.query<{ what: string }>(LEFTOVERS);
  const { sent, answered, ends } = await readSends(sends);
  const times = new Map(sent.map(({ id, at }) => [id, at]));
  return {
    plan,
    history,
    numbers: new Map(users.map(({ address, n }) => [address, Number(n)])),
    owners: new Map(users.map(({ address, id }) => [address, ownerOf(id)])),
    contacts: of((id) => [...sandbox.of(id).standIn.contacts()]),
    events: of((id) => sandbox.of(id).standIn.events()),
    changes,
    calls: sandbox.calls().map((call) => Object.assign(call, { exchange: exchangeOf(call) })),
    exchanges: proxy.exchanges,
    absences: crew.absences,
    sends: sent,
    answered,
    ends,
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

/** A line of the witness. */
type Line =
  | Sent
  | { readonly answered: string; readonly at: number }
  | { readonly failed: string; readonly at: number };

async function readSends(file: string): Promise<Pick<Evidence, 'answered' | 'ends'> & { sent: readonly Sent[] }> {
  const text = await readFile(file, 'utf8').catch(() => '');
  // A killed worker may leave half a line.
  const written = text.split('\n').flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as Line] : []));
  return {
    sent: written.flatMap((each) => ('id' in each ? [each] : [])),
    answered: new Set(written.flatMap((each) => ('answered' in each ? [each.answered] : []))),
    ends: new Map(
      written.flatMap((each) => ('id' in each ? [] : [['answered' in each ? each.answered : each.failed, each.at]])),
    ),
  };
}
