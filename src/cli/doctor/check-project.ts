import type { RollcallError } from '../../core/errors.ts';
import type { Logger } from '../../engine/ports.ts';
import { clientOf, prepareMirror, type ReaderParts } from '../../sources/api/reader.ts';
import { databaseError } from '../database-error.ts';
import { duration } from '../layout.ts';
import { readingProblems, type ReadingStatus, readReading } from '../reading-status.ts';
import { isInstalled } from './installed.ts';
import { type Check, error, ok } from './finding.ts';

/** What a look at a project that is read by its API found. */
export interface ProjectFacts {
  readonly host: string;
  /** Why it does not say what its tables are; undefined where it does. */
  readonly problem: RollcallError | undefined;
  /** Its tables are known, from now or from before. */
  readonly known: boolean;
  /** Undefined without an install. */
  readonly reading: ReadingStatus | undefined;
}

const quiet = (): void => undefined;
const SILENT: Logger = { error: quiet, warn: quiet, info: quiet, debug: quiet };

/** Where only the project's database could answer. */
const UNSEEN =
  'only its database shows triggers of others, Database Webhooks, recipes, pg_net, pg_cron, Vault and replication slots: they were not looked at';

/** A project that is read by its API: it takes the key, has the tables of the config, and is read. Undefined facts where it is read by its database. */
export const project: Check<ProjectFacts | undefined> = {
  area: 'project',
  async read({ sql, config, send }) {
    const { api } = config;
    if (api === undefined) return undefined;
    const problem = await describe({ config, api, sql, send, log: SILENT });
    const [row] = await sql.query<{ known: boolean }>(
      `select to_regclass('auth.users') is not null and to_regclass('rollcall_api.reader') is not null as known`,
    );
    const known = row?.known === true;
    const reading = known && (await isInstalled(sql)) ? await readReading(sql, config) : undefined;
    return { host: new URL(api.projectUrl).host, problem, known, reading };
  },
  judge(facts) {
    if (facts === undefined) return [];
    const { host, problem, reading } = facts;
    const findings = readingProblems(reading).map(({ code, message, hint }) => error(code, message, hint));
    if (problem !== undefined) findings.unshift(error(problem.code, problem.message, problem.hint ?? 'rollcall test'));
    if (findings.length === 0) {
      const ago = reading?.read_s ?? null;
      const read = ago === null ? 'not read whole yet' : `read whole ${duration(ago)} ago`;
      findings.push(ok(`${host} takes the key, and has the tables; ${read}`));
    }
    return [...findings, ok(UNSEEN)];
  },
};

/** Has the tables of the project made here as they are described now; the reason where that can't be. */
async function describe(parts: ReaderParts): Promise<RollcallError | undefined> {
  try {
    await prepareMirror(parts, clientOf(parts, new AbortController().signal, 1));
    return undefined;
  } catch (cause) {
    const known = databaseError(cause);
    if (known === undefined) throw cause;
    return known;
  }
}
