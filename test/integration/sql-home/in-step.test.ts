import { expect, test } from 'vitest';
import { onCleanup } from '../../support/database.ts';
import { createProject, signUpAll, until } from './project.ts';
import { netWorker, runPump } from './support.ts';

/** By hand with 10,000; the suite has few minutes. */
const SIGN_UPS = Number(process.env['ROLLCALL_SQL_SIGNUPS'] ?? 100);

test.each([
  ['brevo', 'import_from: off'],
  ['mailtrap', ''],
] as const)(
  '%s: all sign-ups reach in step with 30%% of answers failing and two losses of the queue',
  async (kind, more) => {
    const project = await createProject(kind, more);
    const { db, world, standIn, sandbox } = project;
    sandbox.addFaults([
      { rate: 0.1, status: 500 },
      { rate: 0.1, status: 429, retryAfter: 0 },
      { rate: 0.05, drop: 'after' },
      { rate: 0.05, body: 'html' },
    ]);
    const net = netWorker(db);
    await runPump(db);
    await signUpAll(project, SIGN_UPS);
    // Waits after a failure are over sooner: so many failures in a row would take a minute.
    const hurrying = setInterval(() => {
      void db.sql.query(
        `update rollcall.due set due_at = clock_timestamp() where token is null and tries > 0 and unknown_until is null and lane < 2`,
      );
    }, 1_000);
    onCleanup(() => Promise.resolve(clearInterval(hurrying)));
    for (const share of [0.2, 0.6]) {
      await sandbox.until(() => standIn.contactCount >= SIGN_UPS * share, 600_000);
      await net.crash();
    }
    await until(
      project,
      `(select count(*) from rollcall.desired s where s.delivered_version is not null) = ${SIGN_UPS}`,
      1_200_000,
    );
    sandbox.clearFaults();
    await db.app.query(
      'update rollcall.due set due_at = clock_timestamp() where token is null and unknown_until is null',
    );
    await world.settled();
    expect(standIn.contactCount).toBe(SIGN_UPS);
    const names = [...standIn.contacts()].map(
      ({ address, attributes }) => `${address} ${JSON.stringify(attributes['FIRSTNAME'])}`,
    );
    expect(names.every((line) => /^p(\d+)@example\.com "Person \1"$/.test(line))).toBe(true);
    const { rows } = await db.app.query<{ failed: number }>(
      'select count(*)::int as failed from rollcall.dead_letters',
    );
    expect(rows[0]?.failed).toBe(0);
  },
  1_800_000,
);
