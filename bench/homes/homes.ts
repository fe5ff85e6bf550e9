import { startCluster } from '../../src/demo/cluster.ts';
import { startNetWorker } from '../../test/support/platform/net-worker.ts';
import type { BenchOptions } from '../config.ts';
import { database } from '../database.ts';
import { startStandIns } from '../stand-ins.ts';
import { type Measured, progress, rate } from '../table.ts';
import { cost, type Variant } from './cost.ts';
import { drain } from './drain.ts';
import { HOMES } from './all.ts';
import { KEY, placeFor } from './place.ts';
import { installRecipe } from './recipe.ts';

const RECIPE_USERS = 1_200;
/** Where a request takes many, a home is this many times as quick as the recipe. */
const MANY_TIMES = 5;
/** Where it takes one, a home is as quick as pg_net can be, but for this. */
const ONE_TIMES = 0.9;

/** One of what homes deliver to: a request for each contact, or for many. */
interface Way {
  readonly name: string;
  readonly to: string;
  readonly many: boolean;
  options(url: string): string;
}

const WAYS: readonly Way[] = [
  {
    name: 'Sendry, one a request',
    to: 'sendry',
    many: false,
    options: (url) => sendry(url, 'import_from: off, upsert_keeps_unsubscribed: true'),
  },
  {
    name: 'Sendry, imports',
    to: 'sendry',
    many: true,
    options: (url) => sendry(url, 'upsert_keeps_unsubscribed: true'),
  },
  {
    name: 'Mailtrap, imports',
    to: 'mailtrap',
    many: true,
    options: (url) => `api_token: "\${vault:${KEY}}", base_url: "${url}", limits_scale: 10000`,
  },
];

const sendry = (url: string, more: string): string =>
  `api_key: "\${vault:${KEY}}", base_url: "${url}", limits_scale: 10000, ${more}`;

/**
 * Each home beside the recipe that it replaces, in the same run: what it takes of the sign-ups' rate, and the contacts a second that it
 * delivers. The recipe is Sendry's, word for word, on a stand-in of pg_net that keeps the real one's pace, which is the ceiling too.
 * @param users so many arrive where a request takes many; a tenth where it takes one; clients sign up for a 200th of as many milliseconds, in each of many rounds
 */
export async function homes({ users }: { users: number }): Promise<readonly Measured[]> {
  const cluster = await startCluster({
    settings: {
      shared_buffers: '256MB',
      max_wal_size: '2GB',
      max_connections: '100',
    },
  });
  const standIns = await startStandIns(Infinity);
  const url = (name: string): string => cluster.url(name);
  try {
    for (const id of ['sendry', 'mailtrap']) await standIns.addField(id, 'FIRSTNAME', 'text');
    const recipe = await database(url, 'recipe');
    const audience = await standIns.addList('sendry', 'Recipe');
    await installRecipe({ url: recipe.url, app: recipe.client }, { ...(await standIns.of('sendry')), audience });
    const none = await database(url, 'none');
    const variants: Variant[] = [
      { name: 'none', ...none },
      { name: 'recipe', ...recipe },
    ];
    const place = async (name: string, home: (typeof HOMES)[number], way: Way) => {
      const at = await standIns.of(way.to);
      const config: BenchOptions = {
        to: way.to,
        destination: way.options(at.url),
        mapping: [],
        more: ['delivery: { grace: 5s }', 'brakes: off'],
      };
      return placeFor(home, { url, name, token: at.token, config });
    };
    for (const home of HOMES) variants.push({ name: home.name, ...(await place(`cost_${home.name}`, home, WAYS[0]!)) });
    const measured = [...(await cost(variants, users / 200))];

    const net = startNetWorker({ url: recipe.url, app: recipe.client });
    const ceiling = await drain(recipe.client, standIns, 'sendry', RECIPE_USERS, 1_000);
    await net.stop();
    measured.push(rate('delivered: the recipe (pg_net)', ceiling));
    for (const way of WAYS) {
      for (const home of HOMES) {
        const at = await place(`${way.to}_${way.many ? 'many' : 'one'}_${home.name}`, home, way);
        progress(`${home.name}: ${way.name}`);
        const atWork = await home.start(at);
        const perSecond = await drain(at.client, standIns, way.to, way.many ? users : users / 10);
        await atWork.end();
        await at.client.end();
        const target = Math.round(ceiling * (way.many ? MANY_TIMES : ONE_TIMES));
        measured.push(rate(`delivered: ${home.name} home, ${way.name}`, perSecond, { target, baseline: ceiling }));
      }
    }
    for (const { client } of variants) await client.end();
    return measured;
  } finally {
    await standIns.close();
    await cluster.destroy();
  }
}
