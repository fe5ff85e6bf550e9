import type { FactKind } from './consent/fact.ts';
import { lastMomentOf } from './time.ts';

/** How a request to a receiver is proved to come from the vendor. */
export type WebhookProof =
  | {
      /** The hex HMAC-SHA256 of the raw body, or of `<t>.<body>` where the header reads `t=<seconds>,v1=<hex>`; its key is the secret as text. */
      readonly by: 'hmac';
      /** The headers it may stand in, in lower case. */
      readonly headers: readonly string[];
      /** Whether the form with a time is taken. */
      readonly timed: boolean;
    }
  | {
      /** The vendor signs nothing: a secret of ours comes back as `Authorization: Bearer <secret>`. */
      readonly by: 'bearer';
    };

/** Something that a vendor tells of somebody. */
export interface InboundFact {
  /** The same each time it is told. */
  readonly id: string;
  readonly kind: FactKind;
  /** As the vendor writes it. */
  readonly address: string;
  /** In microseconds since 1970; undefined where the vendor does not say. */
  readonly at?: number | undefined;
  /** The vendor's own name of it. */
  readonly event: string;
}

/** When a no counts as said: at the last moment that its time can mean. A yes counts from the first. */
export function lastMomentOfNo({ kind, at }: Pick<InboundFact, 'kind' | 'at'>): number | undefined {
  return at === undefined || kind === 'opt_in' ? at : lastMomentOf(at);
}

/** What a body says: all of it, or nothing. Events that say nothing of consent are left out. */
export type InboundReading =
  | { readonly ok: true; readonly facts: readonly InboundFact[] }
  /** What is wrong with it, with its place and without anybody's data. */
  | { readonly ok: false; readonly problem: string };

/** How a destination tells of opt-outs by itself. Pure. What is stored is answered with 200, which Mailtrap asks for and all others take. */
export interface Inbound<Config> {
  readonly proof: WebhookProof;
  /** The secrets that prove a request, several while one is changed for another; without any there is no receiver. */
  secrets(config: Config): readonly string[];
  read(body: string): InboundReading;
}
