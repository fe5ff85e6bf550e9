import type { Config } from '../../config/types.ts';
import { createChangeLog } from '../../engine/change-log.ts';
import { observeAll, type Observer } from '../../engine/observer.ts';
import type { Logger, Send } from '../../engine/ports.ts';
import { openClock } from '../../sql/clock.ts';
import { openDatabase } from '../../sql/open-database.ts';
import type { Sql } from '../../sql/port.ts';
import { type Identity, identityOf } from '../../sql/store/identity.ts';
import { createFetchSend } from '../../transport/fetch.ts';
import type { Registry } from '../configured.ts';
import { routesOf } from '../routes.ts';

/** What an isolate has while it works: opened for the first who needs it, closed when the last is done. */
export interface EdgeHome {
  readonly config: Config;
  readonly sql: Sql;
  readonly identity: Identity;
  readonly log: Logger;
  readonly send: Send;
  readonly now: () => number;
  readonly observe: Observer;
  /** Requests to destinations so far. */
  requests(): number;
  /** Looked up once; again where that failed. @throws what `routesOf` throws */
  routes(): ReturnType<typeof routesOf>;
}

export interface HomeParts {
  readonly config: Config;
  readonly registry: Registry;
  readonly log: Logger;
  /** See `OpenOptions.sslRootCert`. */
  readonly sslRootCert?: string | undefined;
}

/** One home, shared by everybody in the isolate. */
export interface Homes {
  /** Opens it for the first who asks. @throws what `openDatabase` throws, or the work */
  use<T>(work: (home: EdgeHome) => Promise<T>): Promise<T>;
}

/** An isolate has little memory, and others have connections too. */
const CONNECTIONS = 3;

/**
 * Its connections do not outlive the work: a frozen isolate would hold them, and of a pooler's there are few.
 */
export function createHomes(parts: HomeParts): Homes {
  let open: Promise<EdgeHome> | undefined;
  let users = 0;
  return {
    async use(work) {
      users += 1;
      open ??= openHome(parts);
      const mine = open;
      try {
        return await work(await mine);
      } finally {
        users -= 1;
        if (users === 0) {
          open = undefined;
          await mine.then(
            ({ sql }) => sql.close(),
            () => undefined,
          );
        }
      }
    },
  };
}

async function openHome({ config, registry, log, sslRootCert }: HomeParts): Promise<EdgeHome> {
  const sql = await openDatabase(config, log, { max: CONNECTIONS, sslRootCert });
  const identity = identityOf(config);
  const now = await openClock(sql);
  let requests = 0;
  const counted: Observer = (seen) => {
    if (seen.what === 'sending') requests += 1;
  };
  const observe = observeAll([counted, ...(config.log.realtime ? [createChangeLog(log)] : [])], log);
  const send = createFetchSend({ now });
  let routes: ReturnType<typeof routesOf> | undefined;
  return {
    config,
    sql,
    identity,
    log,
    send,
    now,
    observe,
    requests: () => requests,
    routes: () =>
      (routes ??= routesOf({ config, sql, identity, registry, send, observe }).catch((error: unknown) => {
        routes = undefined;
        throw error;
      })),
  };
}
