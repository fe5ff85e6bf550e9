/**
 * A trigger that is there and never runs, in place of one that does. CREATE OR REPLACE TRIGGER asks for the TRIGGER privilege alone,
 * where DROP TRIGGER and DISABLE TRIGGER ask for ownership, which nobody but Supabase has of auth.users. Pure.
 * @param definition as `pg_get_triggerdef` writes it
 * @returns undefined for what can't have a condition: a constraint trigger, or one INSTEAD OF
 */
export function silenced(definition: string): string | undefined {
  const parts =
    /^CREATE TRIGGER ((?:[^'"]|"(?:[^"]|"")*")*? FOR EACH (?:ROW|STATEMENT)) (?:WHEN .*? )?(EXECUTE FUNCTION .*)$/s.exec(
      definition,
    );
  const [, head, tail] = parts ?? [];
  if (head === undefined || tail === undefined || / INSTEAD OF /.test(head)) return undefined;
  return `CREATE OR REPLACE TRIGGER ${head} WHEN (false) ${tail}`;
}

/** The trigger as it was, whether or not it is there now. @param definition as `pg_get_triggerdef` writes it */
export function restored(definition: string): string {
  return definition.replace(/^CREATE TRIGGER /, 'CREATE OR REPLACE TRIGGER ');
}
