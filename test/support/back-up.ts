import type { World } from './world.ts';

/** Every table as it is now, to be put back: a restore of what a dump of this moment held. */
export async function backUp(world: World): Promise<() => Promise<void>> {
  const { app } = world.db;
  await app.query(`create schema backup`);
  const { rows } = await app.query<{ name: string }>(
    `select c.relname as name from pg_class c where c.relnamespace = 'rollcall'::regnamespace and c.relkind = 'r'
        and c.relname !~ '^changes_'`,
  );
  for (const { name } of rows) await app.query(`create table backup.${name} as table rollcall.${name}`);
  await app.query('create table backup.users as table auth.users');
  return async () => {
    for (const { name } of rows) {
      const columns = await app.query<{ names: string }>(
        `select string_agg(quote_ident(attname), ', ') as names from pg_attribute
          where attrelid = 'rollcall.${name}'::regclass and attnum > 0 and not attisdropped and attgenerated = ''`,
      );
      const list = columns.rows[0]!.names;
      await app.query(`delete from rollcall.${name}`);
      await app.query(
        `insert into rollcall.${name} (${list}) overriding system value select ${list} from backup.${name}`,
      );
    }
    await app.query('delete from auth.users');
    await app.query(
      `insert into auth.users (id, email, raw_user_meta_data, created_at) select id, email, raw_user_meta_data, created_at from backup.users`,
    );
    await app.query('drop schema backup cascade');
    // A worker had seen a later position.
    await app.query('select rollcall.note_set_back()');
  };
}
