/**
 * Settings of every function on the hot path. A plan made while the tables were empty is kept by the session and would later
 * read whole tables for a handful of keys; with these there is one plan, keys first and then indexes, from the first contact
 * to the millionth. (Measured at 20,000 contacts in a session that had folded into empty tables: a fold of one key took 20 ms
 * without them.)
 *
 * They do not decide which side of a join comes first, and a table once analyzed while empty is always tempting. So the
 * functions join by `lateral (.. offset 0)`, change rows by `= any(array(..))` or by an insert that conflicts, and
 * never by `update .. from` or `delete .. using`: each of those starts from the keys, whatever the planner believes.
 * And where a contact is looked up by an address, `destination_id + 0` keeps the primary key from being read whole instead.
 */
export const KEYS_FIRST: string =
  'set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off set enable_material = off set plan_cache_mode = force_generic_plan';

/** Where arrays of a whole batch are put together: by hash, as a loop over both would compare each with each. */
export const BY_HASH: string = 'set enable_nestloop = off set enable_hashjoin = on set jit = off';
