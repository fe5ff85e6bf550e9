import { RollcallError } from '../../core/errors.ts';
import type { MappingPlace } from '../../core/mapping.ts';
import { capturePlans } from '../compile/capture-plan.ts';
import { type WalPlan, walPlans } from '../compile/wal-plan.ts';
import { quoteTable } from '../quote.ts';
import type { Sources, SourceTable } from '../source.ts';
import { identityOf } from '../wal/identity.ts';
import { type Inspection, refusal } from './context.ts';
import { tableName } from './table.ts';

/**
 * Whether changes can be read from the WAL: the server writes enough into it, and each table has of its rows before a change what is needed.
 * @throws RollcallError `RC_WAL_LEVEL`, `RC_WAL_ROLE`, `RC_WAL_TABLE`
 */
export async function inspectWal(on: Inspection, sources: Sources): Promise<void> {
  const { tx, config } = on;
  if (config.capture !== 'wal') return;
  const [server] = await tx.query<{ level: string; may: boolean; role: string }>(
    `select current_setting('wal_level') as level, r.rolreplication or r.rolsuper as may, quote_ident(r.rolname) as role
       from pg_roles r where r.rolname = current_user`,
  );
  if (server?.level !== 'logical') {
    throw refused(
      on,
      undefined,
      'RC_WAL_LEVEL',
      `capture: wal needs wal_level = logical, and this server has ${server?.level ?? 'none'}.`,
      'Run `alter system set wal_level = logical` and restart the server, or use capture: triggers.',
    );
  }
  if (!server.may) {
    throw refused(
      on,
      undefined,
      'RC_WAL_ROLE',
      `The role ${server.role} may not read the write-ahead log.`,
      `Use the role "postgres" of the project, or as a superuser: alter role ${server.role} replication; or use capture: triggers.`,
    );
  }
  const captured = capturePlans(config, sources);
  const { plans } = walPlans(captured, sources);
  for (const { table } of captured) {
    const plan = plans.get(table.name);
    if (plan !== undefined) await checkTable(on, table, plan, placeOf(on, table));
  }
}

async function checkTable(
  on: Inspection,
  table: SourceTable,
  plan: WalPlan,
  place: MappingPlace | undefined,
): Promise<void> {
  const name = tableName(table);
  const needed = [...plan.identity, ...(plan.events?.columns ?? [])];
  const [row] = await on.tx.query<{ misfit: string | null; generated: string[] | null }>(
    `select (${identityOf('$1::text', '$2::text[]', '$3::boolean')}) as misfit,
            (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
              where a.attrelid = to_regclass($1) and a.attgenerated <> '' and a.attname::text = any($4)) as generated`,
    [quoteTable(table), plan.identity, plan.full, needed],
  );
  const generated = row?.generated ?? [];
  if (generated.length > 0) {
    throw refused(
      on,
      place,
      'RC_WAL_TABLE',
      `${name} can't be read from the write-ahead log: what is generated (${generated.join(', ')}) is not in it, and ${plan.identity.some((n) => generated.includes(n)) ? 'leads to contacts' : 'an event is made of it'}.`,
      'Map the columns it is made of, or use capture: triggers.',
    );
  }
  if (row?.misfit === null || row === undefined) return;
  const why = plan.full
    ? 'an event of a change or deletion needs the row as it was'
    : 'a row that changes or goes must still lead to its contact';
  throw refused(
    on,
    place,
    'RC_WAL_TABLE',
    `${name} can't be read from the write-ahead log: ${row.misfit}, and ${why}.`,
    `As its owner: alter table ${quoteTable(table)} replica identity full; (each partition too), or use capture: triggers.${SUPABASES.has(table.schema) ? ' On hosted projects nobody may change this table: there only triggers see such events.' : ''}`,
  );
}

const SUPABASES: ReadonlySet<string> = new Set(['auth', 'storage']);

/** The first entry of the config that is about the table. */
function placeOf({ config }: Inspection, { schema, table }: SourceTable): MappingPlace | undefined {
  const own = [...config.eventTables, ...config.tables].find(
    (t) => t.table.schema === schema && t.table.table === table,
  );
  const system = config.systemEvents.find(({ type }) => type.startsWith(schema === 'auth' ? 'user.' : `${schema}.`));
  return own ?? (SUPABASES.has(schema) ? system : undefined);
}

/** An error with the place of an entry, or with that of `capture`, whose line is not kept. */
function refused(on: Inspection, place: MappingPlace | undefined, code: string, message: string, hint: string): Error {
  if (place !== undefined) return refusal(on, place, code, message, hint);
  return new RollcallError(code, message, { hint, place: { file: on.config.file, path: 'capture' } });
}
