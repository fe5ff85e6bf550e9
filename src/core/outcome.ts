/**
 * What became of one operation (DESIGN section 5).
 * - `delivered`: the destination accepted it.
 * - `retry`: it did not happen, try again later (network, 408, 425, 5xx).
 * - `throttle`: the destination asks for fewer requests (429 and kin).
 * - `reject`: this record can't be accepted as it is: a dead letter.
 * - `config`: key, scope or plan is wrong: the destination is paused and no record is burned.
 * - `unknown`: it was sent and no answer came.
 */
export type OutcomeKind = 'delivered' | 'retry' | 'throttle' | 'reject' | 'config' | 'unknown';

export type Outcome =
  | {
      readonly kind: 'delivered';
      /** The destination's own id of the contact. */
      readonly remoteId?: string | undefined;
      /** True when the destination says that this request created the contact. */
      readonly created?: boolean | undefined;
    }
  | {
      readonly kind: Exclude<OutcomeKind, 'delivered'>;
      /** A stable word for the cause, for example `http_500`, `invalid_email`, `unauthorized`. */
      readonly code: string;
      /** The destination's own words, cut to 500 characters. May hold personal data: stored, never logged. */
      readonly message: string;
      /** The destination field at fault, when known. */
      readonly field?: string | undefined;
      /** How long the destination asks us to wait. */
      readonly retryAfterMs?: number | undefined;
      /** The stored remote id is of no use any more: forget it and address by email. */
      readonly forgetRemote?: boolean | undefined;
      /** Of `config`: the destination wants nothing more, so its pause does not end by itself, nor by a restart of the worker. */
      readonly untilApply?: boolean | undefined;
    };
