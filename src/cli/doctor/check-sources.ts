import { formatPlace, RollcallError } from '../../core/errors.ts';
import { readFound } from '../config-database.ts';
import { allWarnings, type Found } from '../summary.ts';
import { type Check, error, ok, warn } from './finding.ts';

/** What the tables say to the config. */
export type Fit = { readonly found: Found } | { readonly problem: RollcallError };

/** The config beside the tables as they are now: what it names is there, of a type that fits, and may be read. */
export const sources: Check<Fit> = {
  area: 'tables',
  async read({ sql, config }) {
    try {
      return { found: await readFound(sql, config) };
    } catch (cause) {
      if (cause instanceof RollcallError) return { problem: cause };
      throw cause;
    }
  },
  judge(fit, config) {
    if ('problem' in fit) {
      const { code, message, hint, place } = fit.problem;
      const at = formatPlace(place);
      return [error(code, at === '' || message.includes(at) ? message : `${at}: ${message}`, hint ?? 'rollcall apply')];
    }
    const warnings = allWarnings(config, fit.found.sources);
    if (warnings.length > 0) {
      return warnings.map(({ code, message, line }) => {
        const at = `${config.file}:${line}`;
        return warn(code, `${at}: ${message}`, `As the message says, or change ${at}.`);
      });
    }
    const tables = config.tables.length + config.eventTables.length;
    return [ok(tables === 0 ? 'auth.users fits the config' : `auth.users and ${tables} more fit the config`)];
  },
};
