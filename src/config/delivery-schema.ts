import { EVENT_POLICIES, FACTORS } from './read-delivery.ts';
import { allowEnv, choice, duration, object, type Schema } from './schema-parts.ts';

/** The JSON Schema of `delivery`. */
export const deliverySchema: Schema = object('How contacts are delivered.', {
  grace: duration(
    'How long an attempt of unknown outcome is waited out before the state is sent once more. Default: 2m.',
  ),
  events: choice(
    EVENT_POLICIES,
    'What becomes of an event without an answer, where the destination has no key against duplicates. Default: at_least_once.',
  ),
  retry: object('How what failed is tried again: a random time up to first, up to first times factor, and so on.', {
    first: duration('Longest wait before the second attempt. Default: 1s.'),
    factor: {
      ...allowEnv({ type: 'number', minimum: FACTORS[0], maximum: FACTORS[1] }),
      description: 'How much longer each further wait may be. Default: 2.',
    },
    longest: duration('No wait is longer. Default: 5m.'),
    window: duration('Who has failed for so long is given up until something changes. Default: 3d.'),
    retry_after_most: duration('Longest that is waited because a destination asks for it. Default: 1h.'),
  }),
});
