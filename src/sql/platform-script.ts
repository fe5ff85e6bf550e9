import { dollarQuote, quoteLiteral } from './quote.ts';

/** What fails in it is told, and fails nothing else: a preview branch, or a plain Postgres, is no reason for a migration to fail. */
export function tolerant(body: string): string {
  return `do ${dollarQuote(`begin
  ${body}
exception when others then
  raise notice 'rollcall: %', sqlerrm;
end`)};`;
}

/** Makes an extension of the platform where it is offered and not there yet. */
export function extension(name: string, schema: string): string {
  return tolerant(`if exists (select from pg_catalog.pg_available_extensions e where e.name = '${name}' and e.installed_version is null) then
    ${schema === 'extensions' ? 'create schema if not exists extensions;' : ''}
    create extension if not exists ${name} with schema ${schema};
  end if;`);
}

/** A job of pg_cron, as often as it can be: before pg_cron 1.5 a minute is the least. */
export function scheduled(job: string, seconds: number, command: string): string {
  const schedule = (when: string): string => `perform cron.schedule('${job}', '${when}', ${quoteLiteral(command)});`;
  return tolerant(`if to_regnamespace('cron') is null then
    raise notice 'rollcall: there is no pg_cron here, so nothing runs ${job}';
  else
    begin
      ${seconds < 60 ? schedule(`${seconds} seconds`) : schedule('* * * * *')}
    exception when others then
      ${schedule('* * * * *')}
    end;
  end if;`);
}

/** Takes jobs of pg_cron away, where there are any. */
export function unscheduled(jobs: readonly string[]): string {
  const names = jobs.map(quoteLiteral).join(', ');
  return `do ${dollarQuote(`begin
  if to_regclass('cron.job') is not null then
    execute ${dollarQuote(`select cron.unschedule(j.jobid) from cron.job j where j.jobname in (${names})`)};
  end if;
exception when insufficient_privilege then
  raise notice 'rollcall: the cron jobs could not be removed';
end`)};`;
}
