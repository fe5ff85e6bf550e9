import type { World } from '../support/world.ts';

/** All that is known of the addresses that differ, for a failure message. */
export async function story(world: World): Promise<string> {
  const { rows } = await world.db.app.query<{ email: string }>(
    'select lower(email) as email from auth.users where email is not null',
  );
  const wanted = new Map(rows.map(({ email }) => [email, true]));
  const found = new Map(world.sandbox.state.contacts().map((c) => [c.email, c.id]));
  const odd = [...new Set([...wanted.keys(), ...found.keys()])].filter((e) => wanted.has(e) !== found.has(e));
  const lines: string[] = [];
  for (const email of odd) {
    const ids = new Set<string>([encodeURIComponent(email)]);
    const id = found.get(email);
    if (id !== undefined) ids.add(id);
    const calls = world.sandbox.state
      .calls()
      .filter((c) => c.body.includes(`"${email}"`) || [...ids].some((each) => c.path.includes(each)));
    lines.push(`--- ${email} (${wanted.has(email) ? 'wanted' : 'not wanted'}), id ${id ?? 'none'}`);
    for (const c of calls) {
      lines.push(
        `${new Date(c.at).toISOString()} ${Math.round(c.ms)} ms ${c.method} ${c.path} ${c.body} -> ${c.status} ${c.fault ?? ''}`,
      );
    }
    const { rows: states } = await world.db.app.query(
      `select c.key, s.*, encode(s.hash, 'hex') as hash from rollcall.desired s join rollcall.contacts c on c.id = s.contact_id
        where s.contact_id in (select contact_id from rollcall.desired where $1 in (address, remote_address, waiting_for, carry_from))
           or s.remote_id = $2`,
      [email, id ?? null],
    );
    lines.push(...states.map((state) => JSON.stringify(state)));
  }
  return lines.slice(0, 200).join('\n');
}
