import { expect, test } from 'vitest';
import { connected } from '../../bench/database.ts';
import { disaster } from '../../bench/disaster/scenario.ts';
import { homeNamed } from '../../bench/homes/all.ts';
import { KEY, placeFor } from '../../bench/homes/place.ts';
import { inStep } from '../../bench/setup.ts';
import { onCleanup } from '../support/database.ts';
import { startSandbox } from '../support/mailtrap-sandbox.ts';
import { startOwnCluster } from '../support/own-cluster.ts';
import { failing } from './failing.ts';

const SIGN_UPS = 400;

// The worker's own is disaster.test.ts. In full size: `npm run bench -- disaster --home sql`.
// That of the edge home: `npm run bench -- disaster --home edge`.
test.each(['sql'])(
  'the %s home delivers everybody amid 500s, an immediate stop of Postgres and a death of its own',
  async (name) => {
    const cluster = await startOwnCluster({ max_connections: '60' });
    onCleanup(() => cluster.destroy());
    const sandbox = await startSandbox({ limitsScale: Infinity, jobStepMs: 50 });
    onCleanup(() => sandbox.close());
    sandbox.of('mailtrap').standIn.addField('FIRSTNAME', 'text');
    const home = homeNamed(name);
    const place = await placeFor(home, {
      url: (database) => cluster.url(database),
      name: 'disaster',
      token: sandbox.token,
      config: {
        destination: `api_token: "\${vault:${KEY}}", base_url: "${sandbox.apiUrl}", limits_scale: 10000`,
        mapping: [],
        more: ['delivery: { grace: 3s }'],
      },
    });
    await place.client.end();
    const atWork = await home.start(place);
    onCleanup(() => atWork.end());
    const { people, failed } = await disaster({
      signUps: SIGN_UPS,
      writers: 4,
      failingMs: 2_000,
      connect: () => connected(place.url),
      failing: (on) => failing(sandbox, on),
      stopPostgres: () => cluster.crash(),
      startPostgres: () => cluster.start(),
      killWorker: () => atWork.kill(),
    });
    expect([failed, people.size]).toEqual([[], SIGN_UPS]);
    expect(sandbox.state.counters().byStatus['500']).toBeGreaterThan(0);
    const app = await connected(place.url);
    onCleanup(() => app.end());
    await inStep(app, 100);
    expect((await app.query('select from rollcall.dead_letters')).rowCount).toBe(0);
    const there = new Map(sandbox.state.contacts().map((one) => [one.email, one.fields['FIRSTNAME']]));
    expect(there).toEqual(people);
  },
  240_000,
);
