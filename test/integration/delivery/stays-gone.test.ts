import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rollcall, tempFile, tempFolder } from '../../cli/run-cli.ts';
import { backUp } from '../../support/back-up.ts';
import { dumpOf, foundIn } from '../../support/dump.ts';
import { erase, ERASE_KEY, erased } from '../../support/erasing.ts';
import { eventually } from '../../support/people.ts';
import { SENDERS, told } from '../../support/told.ts';

const PROFILES = `create table public.profiles (id uuid primary key references auth.users (id) on delete cascade,
  unsubscribed boolean not null default false);
create function public.profile_of() returns trigger language plpgsql security definer as $$ begin
  insert into public.profiles (id) values (new.id) on conflict do nothing;
  return new;
end $$;
create trigger profile after insert on auth.users for each row execute function public.profile_of();`;
const NAME = 'Zoë "O’Hara"';
const PHONE = '+4915112345678';

test.each(SENDERS)(
  'who has left %s stays gone: edited, moved, backfilled, swept, erased, signed up again, restored',
  async (from) => {
    const file = join(await tempFolder(), 'kept.jsonl');
    const more = `brakes: { deletes: off, changes: off }
write_back: { column: profiles.unsubscribed }
erasure: { key: "${ERASE_KEY}", export: "${file}" }`;
    const mapping = 'unconfirmed: true\nemail: email\nuser_metadata.full_name: FIRSTNAME\nuser_metadata.n: N';
    const on = await told({ ddl: PROFILES, mapping, more });
    const { world, leave, status, changes } = on;
    const { app } = world.db;
    const says = async (id: string): Promise<unknown> =>
      (await app.query('select unsubscribed from public.profiles where id = $1', [id])).rows[0]?.unsubscribed;
    /** The app's column says so. */
    const appTold = (id: string): Promise<void> => eventually(async () => (await says(id)) === true);
    const everywhere = (address: string): (string | undefined)[] => SENDERS.map((each) => status(each, address));
    const OUT = SENDERS.map(() => 'unsubscribed');
    const config = await tempFile('rollcall.yaml', world.yaml);

    const ann = await world.signUp('ann@example.com', { full_name: NAME, n: '0' }, { phone: PHONE });
    await world.signUp('bob@example.com', { full_name: 'Bob', n: '0' });
    await world.settled();
    const restore = await backUp(world);
    await leave(from, 'ann@example.com');
    await appTold(ann);
    await eventually(() => everywhere('ann@example.com').join() === OUT.join());
    await world.settled();
    const since = changes.length;

    for (let n = 1; n <= 20; n += 1) {
      await app.query(
        `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('n', $2::text) where id = $1`,
        [ann, n],
      );
      if (n % 5 === 0) await world.settled();
    }
    await app.query(`update auth.users set email = 'anna@example.com' where id = $1`, [ann]);
    await world.settled();
    expect(everywhere('anna@example.com')).toEqual(OUT);
    const backfilled = await rollcall(['sync', '--full', '--config', config]);
    expect([backfilled.code, backfilled.stderr]).toEqual([0, expect.anything()]);
    await app.query(`select rollcall.want_sweep('bound', null)`);
    await eventually(async () => !(await world.status()).sweep_wanted);
    await world.settled();
    expect(everywhere('anna@example.com')).toEqual(OUT);

    await erase(world, ann);
    await erased(world, 30_000);
    expect(everywhere('anna@example.com')).toEqual(SENDERS.map(() => undefined));
    const dump = await dumpOf(app, ['auth', 'public', 'vault', 'backup']);
    expect(foundIn(dump, [ann, 'ann@example.com', 'anna@example.com', NAME, PHONE])).toEqual([]);

    await app.query('delete from auth.users where id = $1', [ann]);
    const back: string[] = [];
    for (const address of ['anna@example.com', 'ann@example.com'])
      back.push(await world.signUp(address, { full_name: NAME, n: '0' }));
    for (const id of back) await appTold(id);
    await world.settled();
    for (const address of ['anna@example.com', 'ann@example.com']) expect(everywhere(address)).toEqual(OUT);

    await on.worker.stop();
    expect((await rollcall(['erase', '--export', '--config', config])).code).toBe(0);
    await restore();
    const recovered = await rollcall(['recover', '--yes', '--config', config]);
    expect([recovered.code, recovered.stderr]).toEqual([0, expect.anything()]);
    await world.start();
    await world.settled();
    await erased(world, 30_000);
    await app.query('delete from auth.users where id = $1', [ann]);
    const last = await world.signUp('ann@example.com', { full_name: NAME, n: '0' });
    await eventually(async () => (await says(last)) !== undefined);
    await world.settled();
    expect(everywhere('ann@example.com')).toEqual(OUT);
    expect(everywhere('bob@example.com')).toEqual(SENDERS.map(() => 'subscribed'));

    expect(on.subscribing()).toEqual([]);
    const subscribed = changes
      .slice(since)
      .filter(({ kind, contact }) => kind !== 'deleted' && contact.status === 'subscribed');
    expect(subscribed.filter(({ contact }) => contact.address !== 'bob@example.com')).toEqual([]);
  },
);
