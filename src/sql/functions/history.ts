/** Attempts and ended events are kept for a week, but no more than so many rows, or so many for each contact. */
const HISTORY_LEAST = 200_000;
const HISTORY_EACH = 5;

/** How long a memory of what is over is. */
export const history: string = /* sql */ `
-- How many rows of a history are kept at most, however short the time: the last ones of everybody. By the planner's count of
-- contacts, which costs nothing.
create or replace function rollcall.history_most() returns bigint language sql stable set search_path = '' as $body$
  select greatest(${HISTORY_LEAST}, ${HISTORY_EACH} * c.reltuples::bigint) from pg_catalog.pg_class c where c.oid = 'rollcall.desired'::regclass
$body$;
`;
