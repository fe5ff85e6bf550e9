import { openPg } from '../../src/sql/pg.ts';
import { EDGE_SCRIPT } from '../../src/sql/edge-script.ts';
import { type EdgeFunction, spawnEdge } from '../../test/support/spawn-edge.ts';
import { parseBench } from '../config.ts';
import { passed } from '../poll.ts';
import type { Home } from './home.ts';

/** Between two looks of a function that has nothing to do. */
const REST_MS = 500;

/** The Edge Function in a Deno process, called again as soon as an invocation says that there is more, else at each tick. */
export const edgeHome: Home = {
  name: 'edge',
  async deploy({ url }) {
    const sql = openPg({ url });
    await sql.transaction((tx) => tx.script(EDGE_SCRIPT));
    await sql.close();
  },
  async start({ yaml }) {
    const types = parseBench(yaml).destinations.map(({ type }) => type);
    const spawn = (): Promise<EdgeFunction> => spawnEdge(yaml, { types });
    const stop = new AbortController();
    let edge = await spawn();
    const ticking = (async (): Promise<void> => {
      while (!stop.signal.aborted) {
        // An invocation that dies, or meets a database that is away, is followed by the next tick.
        const more = await edge.tick().then(
          (ran) => ran.more,
          () => false,
        );
        if (!more) await passed(REST_MS);
      }
    })();
    return {
      async kill() {
        await edge.kill();
        edge = await spawn();
      },
      async end() {
        stop.abort();
        await ticking;
        await edge.kill();
      },
    };
  },
};
