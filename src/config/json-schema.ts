import type { Destination } from '../core/destination.ts';
import { USER_COLUMNS } from '../core/user-columns.ts';
import { attributesSchema, targetsSchema } from './mapping-schema.ts';
import { type OptionSchema, optionSchema } from './option-schema.ts';
import { LOG_LEVELS } from './read-connector.ts';
import { allowEnv, object, type Schema } from './schema-parts.ts';

/**
 * The JSON Schema (draft 2020-12) of `rollcall.yaml` for editors, with the options of every destination of the registry. It
 * knows shapes, not meanings: variables that are unset, targets used twice and the like are found by `parseConfig` only.
 */
export function configJsonSchema(registry: readonly Destination<unknown>[]): Schema {
  const connector = object('A Supabase project.', {
    enabled: boolean('False: nothing is captured or sent. Default: true.'),
    project_url: text('https://<ref>.supabase.co, or the address of a self-hosted project.'),
    api_key: text('The service_role key. Write "${SUPABASE_SERVICE_ROLE_KEY}", never the key itself.'),
    sync: object('What is synced.', {
      users: boolean('Whether users of auth.users are synced. Default: true.'),
      tables: {
        type: 'array',
        uniqueItems: true,
        items: tableName,
        description: 'Tables. They load, but nothing of them is sent yet.',
      },
      storage: boolean('Storage events. They load, but nothing of them is sent yet.'),
      realtime: boolean('The realtime feed. It is not used: triggers see every change.'),
    }),
    user_mapping: userMapping(),
    table_mapping: tableMapping(),
    debug: boolean('Short for log_level: debug; log_level wins when both are given. Default: false.'),
    log_level: {
      ...allowEnv({ enum: [...LOG_LEVELS] }),
      description: 'How much is logged; verbose is another word for debug. Default: info.',
    },
    log_queries: boolean('Whether database queries are logged (their text, never their values). Default: false.'),
    log_realtime: boolean('Has no effect: this version reads no realtime feed.'),
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Rollcall configuration',
    ...object('rollcall.yaml. ${NAME} and ${NAME:-default} in any text are read from the environment.', {
      connectors: object('Where contacts come from.', { supabase: orNothing(connector) }),
      table_mapping: tableMapping(),
      database_url: text("The project's Postgres URL. Default: DATABASE_URL, else SUPABASE_DB_URL of the environment."),
      ssl_root_cert: text("Path of a PEM file with the certificate authority of the database's server."),
      environment: {
        type: 'string',
        minLength: 1,
        description: 'The environment this install belongs to. Default: production.',
      },
      destinations: destinations(registry),
      consent: consent(),
      delivery: object('How contacts are delivered.', {
        grace: duration(
          'How long an attempt of unknown outcome is waited out before the state is sent once more. Default: 2m.',
        ),
      }),
      wake: {
        enum: ['notify', 'poll'],
        description: 'How an idle worker learns of changes. poll spares writers the lock of NOTIFY. Default: notify.',
      },
      allow_functions: {
        type: 'array',
        uniqueItems: true,
        items: { type: 'string', pattern: '^[^.\\s()]+\\.[^.\\s()]+$' },
        description: 'Functions of the project that sql expressions may call, as schema.name.',
      },
      sweep: object('How often everything is compared.', {
        every: duration('Time between scheduled sweeps. Default: 1h.'),
      }),
    }),
  };
}

function boolean(description: string): Schema {
  return { ...allowEnv({ type: 'boolean' }), description };
}

function text(description: string): Schema {
  return { type: 'string', minLength: 1, description };
}

function duration(description: string): Schema {
  const rule = allowEnv({ type: 'string', pattern: '^\\s*\\d+(ms|s|m|h|d)\\s*$' });
  return { ...rule, description, examples: ['30s', '2m', '1h'] };
}

const tableName: Schema = { type: 'string', minLength: 1, description: 'A table, or schema.table.' };

function orNothing(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
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

function tableMapping(): Schema {
  const table: Schema = {
    type: 'object',
    properties: {
      sync_as: { enum: ['contacts', 'events'], description: 'Default: contacts.' },
      event_name: { type: 'string', minLength: 1 },
      properties: {
        type: ['object', 'null'],
        additionalProperties: { type: 'string', minLength: 1 },
        description: 'Column to property of the event.',
      },
    },
    additionalProperties: targetsSchema,
    anyOf: [
      { properties: { sync_as: { const: 'events' } }, required: ['sync_as', 'event_name'] },
      { properties: { sync_as: { const: 'contacts' }, event_name: false, properties: false } },
    ],
  };
  return {
    type: ['object', 'null'],
    additionalProperties: table,
    description: 'Table to mapping. It loads and is checked, but nothing of it is sent yet.',
  };
}

function consent(): Schema {
  return {
    description: 'Who may be mailed. There is no default.',
    anyOf: [
      { enum: ['nobody', null], description: 'Nobody is subscribed until an opt-in.' },
      { type: 'string', pattern: '\\$\\{' },
      {
        type: 'object',
        properties: {
          column: {
            type: 'string',
            minLength: 1,
            description: 'Column or metadata path that is true for those who said yes.',
          },
        },
        required: ['column'],
        additionalProperties: false,
      },
      {
        type: 'object',
        properties: { everyone: { type: 'string', pattern: '\\S', description: 'The stated basis.' } },
        required: ['everyone'],
        additionalProperties: false,
      },
    ],
  };
}

function destinations(registry: readonly Destination<unknown>[]): Schema {
  const byType = { anyOf: registry.map((destination) => entry(destination, true)) };
  const named = registry.map((destination) => [
    destination.id,
    registry.length === 1 ? entry(destination, false) : { anyOf: [entry(destination, false), ...byType.anyOf] },
  ]);
  return {
    type: ['object', 'null'],
    description: 'Name to destination and its options.',
    properties: Object.fromEntries(named) as Record<string, Schema>,
    propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]{0,62}$' },
    additionalProperties: registry.length === 0 ? false : byType,
  };
}

/** The options of a destination, closed, with its `type`. */
function entry(destination: Destination<unknown>, typeRequired: boolean): Schema {
  const options = lenient(optionSchema(destination));
  return {
    ...options,
    description: `${destination.id}: ${destination.docsUrl}`,
    properties: {
      ...(options['properties'] as Record<string, Schema> | undefined),
      type: { const: destination.id, description: 'Which destination; may be left out when the name says it.' },
    },
    required: [...((options['required'] as readonly string[] | undefined) ?? []), ...(typeRequired ? ['type'] : [])],
    additionalProperties: options['additionalProperties'] ?? false,
  };
}

/** A destination's schema, with variables allowed wherever a value is not free text. */
function lenient(schema: OptionSchema): Schema {
  const walked: Schema = Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => [keyword, lenientKeyword(keyword, value)]),
  );
  const leaf = schema.properties === undefined && schema.items === undefined && schema.anyOf === undefined;
  const strict = leaf && schema.type !== 'object' && schema.type !== 'array' && Object.keys(schema).length > 0;
  return strict ? allowEnv(walked) : walked;
}

function lenientKeyword(keyword: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (keyword === 'properties') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, lenient(item as OptionSchema)]));
  }
  if (keyword === 'items' || keyword === 'additionalProperties') return lenient(value as OptionSchema);
  if (Array.isArray(value) && /^(?:any|one|all)Of$/.test(keyword)) {
    return value.map((item) => lenient(item as OptionSchema));
  }
  return value;
}
