/**
 * Settings of every function on the hot path. A plan made while the tables were empty is kept by the session and would later
 * read whole tables for a handful of keys; with these there is one plan, keys first and then indexes, from the first contact
 * to the millionth. (Measured at 20,000 contacts in a session that had folded into empty tables: a fold of one key took 20 ms
 * without them.)
 */
export const KEYS_FIRST: string =
  'set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off set enable_material = off';
