/** The keys of every destination, which its own schema does not know. */
export const GENERIC_KEYS: readonly string[] = [
  'type',
  'on_delete',
  'topic',
  'sandbox',
  'attributes',
  'where',
  'create_missing',
];
/** The keys of `attributes` of a destination. */
export const ADJUSTMENT_KEYS: readonly string[] = ['only', 'drop', 'rename', 'retype'];
/** What `create_missing` can list. */
export const CREATABLE: readonly ('fields' | 'lists')[] = ['fields', 'lists'];
