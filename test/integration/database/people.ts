import type { Installed } from './support.ts';

/** Gives a user another address, or none. */
export async function move(one: Installed, id: string, email: string | null): Promise<void> {
  await one.db.app.query('update auth.users set email = $2 where id = $1', [id, email]);
}

/** A user leaves. */
export async function remove(one: Installed, id: string): Promise<void> {
  await one.db.app.query('delete from auth.users where id = $1', [id]);
}

/** Signs somebody up who is at the destination already, as `id of <email>`. Returns the user's id. */
export async function delivered(one: Installed, email: string): Promise<string> {
  const id = await one.insert(email);
  await one.foldAll();
  for (const delivery of await one.claim())
    await one.settle(delivery, { kind: 'delivered', remoteId: `id of ${email}` });
  return id;
}
