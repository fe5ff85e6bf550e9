import type { Destination } from '../core/destination.ts';
import { USER_COLUMNS } from '../core/user-columns.ts';
import { alertsSchema, erasureSchema, serverSchema } from './alerts-schema.ts';
import { brakesSchema } from './brakes-schema.ts';
import { captureSchema, walSchema } from './capture-schema.ts';
import { consentSchemas } from './consent-schema.ts';
import { deliverySchema } from './delivery-schema.ts';
import { destinationsSchema } from './destination-schema.ts';
import { tableListSchema } from './link-schema.ts';
import { attributesSchema, targetsSchema } from './mapping-schema.ts';
import { LOG_LEVELS } from './read-connector.ts';
import { allowEnv, boolean, choice, duration, object, orNothing, type Schema, text } from './schema-parts.ts';
import { segmentsSchema } from './segments-schema.ts';
import { systemEventsSchema, tableMappingSchema } from './tables-schema.ts';

/**
 * The JSON Schema (draft 2020-12) of `rollcall.yaml` for editors, with the options of every destination of the registry. It
 * knows shapes, not meanings: variables that are unset, targets used twice and the like are found by `parseConfig` only.
 */
export function configJsonSchema(registry: readonly Destination<unknown>[]): Schema {
  const connector = object('A Supabase project.', {
    enabled: boolean('False: nothing is captured or sent. Default: true.'),
    project_url: text('https://<ref>.supabase.co, or the address of a self-hosted project.'),
    api_key: text(
      'The secret key (sb_secret_...) or the service_role key, for `rollcall test`, and for reading the project where there is no database URL. Write "${SUPABASE_SERVICE_ROLE_KEY}", never the key itself.',
    ),
    state: text(
      'Where the project is read by its API: embedded (a Postgres of our own in .rollcall/state), or a postgres:// URL of any Postgres of yours. Default: embedded.',
    ),
    poll: text('Where the project is read by its API: the time between two readings, such as 15s. Default: 15s.'),
    sync: object('What is synced.', {
      users: boolean('Whether users of auth.users are synced. Default: true.'),
      tables: tableListSchema('The mapped tables that are synced. Default: all of them.'),
      storage: boolean('Whether all three events of files are sent. Default: false.'),
      realtime: boolean(
        'Listens to Realtime, as a hint to look at once, where the project is read by its API. Triggers see every change without it.',
      ),
    }),
    user_mapping: userMapping(),
    table_mapping: tableMappingSchema,
    events: systemEventsSchema,
    debug: boolean('Short for log_level: debug; log_level wins when both are given. Default: false.'),
    log_level: choice(LOG_LEVELS, 'How much is logged; verbose is another word for debug. Default: info.'),
    log_queries: boolean('Whether database queries are logged (their text, never their values). Default: false.'),
    log_realtime: boolean('Whether each batch of changes is logged as it comes in (counts alone). Default: false.'),
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Rollcall configuration',
    ...object('rollcall.yaml. ${NAME} and ${NAME:-default} in any text are read from the environment.', {
      connectors: object('Where contacts come from.', { supabase: orNothing(connector) }),
      table_mapping: tableMappingSchema,
      database_url: text("The project's Postgres URL. Default: DATABASE_URL, else SUPABASE_DB_URL of the environment."),
      ssl_root_cert: text("Path of a PEM file with the certificate authority of the database's server."),
      environment: {
        type: 'string',
        minLength: 1,
        description: 'The environment this install belongs to. Default: production.',
      },
      destinations: destinationsSchema(registry),
      segments: segmentsSchema,
      ...consentSchemas(),
      delivery: deliverySchema,
      wake: {
        enum: ['notify', 'poll'],
        description: 'How an idle worker learns of changes. poll spares writers the lock of NOTIFY. Default: notify.',
      },
      capture: captureSchema,
      wal: walSchema,
      allow_functions: {
        type: 'array',
        uniqueItems: true,
        items: { type: 'string', pattern: '^[^.\\s()]+\\.[^.\\s()]+$' },
        description: 'Functions of the project that sql expressions may call, as schema.name.',
      },
      sweep: object('How often everything is compared.', {
        every: duration('Time between scheduled sweeps. Default: 1h.'),
      }),
      brakes: brakesSchema,
      server: serverSchema,
      alerts: alertsSchema,
      erasure: erasureSchema,
    }),
  };
}

function userMapping(): Schema {
  const columns = USER_COLUMNS.map((column) => [column.name, { ...targetsSchema, description: `A ${column.type}.` }]);
  return {
    ...object(
      'Column to target. The target email is the contact’s address. Without this section eight defaults hold.',
      {
        ...(Object.fromEntries(columns) as Record<string, Schema>),
        raw_user_meta_data: targetsSchema,
        raw_app_meta_data: targetsSchema,
        attributes: attributesSchema,
        where: {
          type: 'string',
          minLength: 1,
          description: 'SQL condition; rows for which it is not true are no contacts.',
        },
        unconfirmed: {
          ...allowEnv({ type: 'boolean' }),
          description: 'Whether addresses nobody has confirmed are sent too. Default: false.',
        },
      },
    ),
    patternProperties: {
      '^(user_metadata|app_metadata|raw_user_meta_data|raw_app_meta_data)(\\.[^.]+)+$': targetsSchema,
    },
  };
}
