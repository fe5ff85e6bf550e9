import { BRAKE_KINDS } from './read-brakes.ts';
import { allowEnv, object, type Schema } from './schema-parts.ts';

const OFF: Schema = { enum: ['off'], description: 'Nothing of it stops.' };

/** The JSON Schema of `brakes`. */
export const brakesSchema: Schema = {
  description: 'What stops, and waits for `rollcall release`, when there is more of it in an hour.',
  anyOf: [
    OFF,
    { type: 'string', pattern: '\\$\\{' },
    object('Each kind by itself.', Object.fromEntries(BRAKE_KINDS.map((kind) => [kind, brakeSchema(kind)]))),
  ],
};

function brakeSchema(kind: (typeof BRAKE_KINDS)[number]): Schema {
  const [what, share, least] =
    kind === 'deletes' ? (['Contacts that leave', '2%', 10] as const) : (['Contacts that change', '20%', 100] as const);
  return {
    description: `${what} in any hour.`,
    anyOf: [
      OFF,
      { type: 'string', pattern: '\\$\\{' },
      object('Both must be exceeded or met.', {
        share: {
          ...allowEnv({ type: 'string', pattern: '^\\s*\\d{1,3}(\\.\\d{1,6})?\\s*%\\s*$' }),
          description: `More than this share of the contacts stop. Default: ${share}.`,
          examples: [share],
        },
        least: {
          ...allowEnv({ type: 'integer', minimum: 1, maximum: 1_000_000_000 }),
          description: `Fewer than these never stop. Default: ${least}.`,
        },
      }),
    ],
  };
}
