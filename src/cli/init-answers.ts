import { RollcallError } from '../core/errors.ts';
import type { InitAnswers } from './init-file.ts';

/** The flags of `init`. */
export interface InitOptions {
  readonly databaseUrlEnv?: string | undefined;
  readonly destination?: string | undefined;
  readonly accountId?: string | undefined;
  readonly list?: readonly string[] | undefined;
  readonly consent?: string | undefined;
  readonly development?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly output?: string | undefined;
}

export const DEFAULT_DATABASE_URL_ENV = 'DATABASE_URL';

const CONSENT_FORMS = [
  '--consent nobody             nobody is subscribed until an opt-in',
  '--consent column:<path>      people for whom it is true, for example',
  '                             column:user_metadata.marketing_opt_in',
  '--consent everyone:<basis>   everyone, on a basis you state and can show',
].join('\n  ');

/** Whether any flag answers a question of the wizard. */
export function anyAnswer(options: InitOptions): boolean {
  const { databaseUrlEnv, destination, accountId, list, consent } = options;
  return [databaseUrlEnv, destination, accountId, list, consent].some((flag) => flag !== undefined);
}

/**
 * The answers that the flags give.
 * @throws RollcallError `RC_INIT_CONSENT` without a consent basis, `RC_INIT_OPTION` for a flag that can't be used
 */
export function answersOf(options: InitOptions): InitAnswers {
  const destination = options.destination ?? 'mailtrap';
  if (destination !== 'mailtrap') {
    throw new RollcallError('RC_INIT_OPTION', `There is no destination "${destination}".`, {
      hint: 'It is mailtrap here; docs/destinations.md says what to write for the others.',
    });
  }
  const databaseUrlEnv = options.databaseUrlEnv ?? DEFAULT_DATABASE_URL_ENV;
  if (!isEnvName(databaseUrlEnv)) {
    throw new RollcallError('RC_INIT_OPTION', '--database-url-env takes the name of an environment variable.', {
      hint: 'For example --database-url-env DATABASE_URL; the URL itself stays out of the file.',
    });
  }
  if (options.accountId !== undefined && !isAccountId(options.accountId)) {
    throw new RollcallError('RC_INIT_OPTION', '--account-id takes a number.', {
      hint: 'It is in the address of the Mailtrap dashboard, after /accounts/.',
    });
  }
  return {
    databaseUrlEnv,
    destination,
    accountId: options.accountId,
    lists: options.list ?? [],
    consent: parseConsent(options.consent),
  };
}

export function isEnvName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

export function isAccountId(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}

/** @throws RollcallError `RC_INIT_CONSENT` */
function parseConsent(text: string | undefined): InitAnswers['consent'] {
  if (text === 'nobody') return { kind: 'nobody' };
  const [, kind, rest = ''] = /^(column|everyone):(.*)$/s.exec(text ?? '') ?? [];
  const value = rest.trim();
  if (kind === 'column' && value !== '') return { kind, path: value };
  if (kind === 'everyone' && value !== '') return { kind, basis: value };
  const what =
    text === undefined ? 'Say who may be mailed; there is no default.' : '--consent is not one of its forms.';
  throw new RollcallError('RC_INIT_CONSENT', what, { hint: CONSENT_FORMS });
}
