import { LEAST_KEY } from './read-erasure.ts';
import { LEAST_TOKEN } from './read-server.ts';
import { allowEnv, boolean, duration, object, type Schema, text } from './schema-parts.ts';

/** The JSON Schema of `server`. */
export const serverSchema: Schema = object("The worker's HTTP server.", {
  metrics_token: {
    ...allowEnv({ type: 'string', minLength: LEAST_TOKEN, pattern: '^[\\w.~+/=-]+$' }),
    description:
      'Who has it may read GET /metrics (Authorization: Bearer). Without one there is none. Default: METRICS_TOKEN of the environment.',
  },
  hook_token: {
    ...allowEnv({ type: 'string', minLength: LEAST_TOKEN, pattern: '^[\\w.~+/=-]+$' }),
    description:
      'Who has it may send Database Webhooks to POST /webhooks/supabase (Authorization: Bearer, or apikey). Default: ROLLCALL_HOOK_TOKEN of the environment.',
  },
});

/** The JSON Schema of `erasure`. */
export const erasureSchema: Schema = object('How people are erased.', {
  key: {
    ...allowEnv({ type: 'string', minLength: LEAST_KEY }),
    description:
      'What the hashes of the erased are made with; a secret. Without one it is read from Vault (rollcall_erasure_key).',
  },
  on_user_deleted: boolean('Whether whoever is deleted from auth.users is erased. Default: false.'),
  export: text('A file, or an https address that takes a PUT, for what must outlive a restore: hashes alone.'),
  export_token: text('The bearer token for that address.'),
});

const count = (description: string): Schema => ({
  ...allowEnv({ type: 'integer', minimum: 1, maximum: 1_000_000_000 }),
  description,
});

/** The JSON Schema of `alerts`. */
export const alertsSchema: Schema = {
  ...object('Who is told when something needs a person, by a signed webhook.', {
    url: text('Takes a POST; https, or http to this machine.'),
    secret: text('whsec_ and 24 to 64 bytes in base64; signs each message (Standard Webhooks).'),
    stuck_after: duration('What waits for longer is stuck. Default: 10m.'),
    failed: count('So many dead letters of one destination within an hour. Default: 10.'),
    drift: count('So many contacts that one sweep found out of step. Default: 100.'),
  }),
  required: ['url', 'secret'],
};
