import { LEAST_TOKEN } from './read-server.ts';
import { allowEnv, duration, object, type Schema, text } from './schema-parts.ts';

/** The JSON Schema of `server`. */
export const serverSchema: Schema = object("The worker's HTTP server.", {
  metrics_token: {
    ...allowEnv({ type: 'string', minLength: LEAST_TOKEN, pattern: '^[\\w.~+/=-]+$' }),
    description:
      'Who has it may read GET /metrics (Authorization: Bearer). Without one there is none. Default: METRICS_TOKEN of the environment.',
  },
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
