import * as z from 'zod';

/** Whose word an answer follows, where the documentation and the SDKs differ. */
export type Dialect = 'docs' | 'sdk';

/** What an API key may do, from most to least; see documentation, "Error Codes". */
const SCOPES = ['full_access', 'sending_access', 'read_only', 'expired'] as const;
export type Scope = (typeof SCOPES)[number];

/** Settings that only this stand-in knows. Where nothing is documented the default is what a client must survive. */
export interface SendrySettings {
  /** The shape of error bodies. */
  readonly errorStyle: Dialect;
  /** Whether a contact has `unsubscribed` (SDKs) or `subscribed` (documentation). */
  readonly contactStyle: Dialect;
  /** Whether imports answer `{created, updated, total}` or `{imported, skipped, errors}`. */
  readonly importAnswer: Dialect;
  /** Whether an upsert or import that does not say `unsubscribed` sets it to false: no document says. */
  readonly upsertResets: boolean;
  /** Whether a PUT forgets what it does not name: no document says. */
  readonly putReplaces: boolean;
  /** Whether `metadata` takes the place of what was there, or is merged into it: no document says. */
  readonly metadataReplaces: boolean;
  /** The keys that are read as attributes; another is ignored. */
  readonly attributesAs: 'metadata' | 'properties' | 'both';
  /** The plan's limit on contacts. */
  readonly maxContacts: number;
  /** Requests in any second; no number is published. */
  readonly requestsPerSecond: number;
  /** Keys beside the token, which has `full_access`. */
  readonly keys: Readonly<Record<string, Scope>>;
  /** How webhooks are signed: hex over the body (JS SDK), or `t=,v1=` over time and body (Go SDK). */
  readonly signature: 'plain' | 'prefixed' | 'timestamped';
  /** What tells of an unsubscribe: the name of the recipe, or an update of the contact. */
  readonly unsubscribeEvent: 'contact.unsubscribed' | 'contact.updated';
}

const dialect = z.enum(['docs', 'sdk']);

/** Reads `StandInOptions.settings`. */
export const sendrySettings: z.ZodType<SendrySettings> = z.strictObject({
  errorStyle: dialect.default('docs'),
  contactStyle: dialect.default('sdk'),
  importAnswer: dialect.default('sdk'),
  upsertResets: z.boolean().default(true),
  putReplaces: z.boolean().default(false),
  metadataReplaces: z.boolean().default(false),
  attributesAs: z.enum(['metadata', 'properties', 'both']).default('both'),
  maxContacts: z.int().min(0).default(2_000_000),
  requestsPerSecond: z.int().min(1).default(5),
  keys: z.record(z.string(), z.enum(SCOPES)).default({}),
  signature: z.enum(['plain', 'prefixed', 'timestamped']).default('plain'),
  unsubscribeEvent: z.enum(['contact.unsubscribed', 'contact.updated']).default('contact.unsubscribed'),
});
