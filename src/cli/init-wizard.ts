import type { Readable, Writable } from 'node:stream';
import { cancel, intro, isCancel, select, text } from '@clack/prompts';
import { parseColumn } from '../config/column-path.ts';
import { DEFAULT_DATABASE_URL_ENV, isAccountId, isEnvName } from './init-answers.ts';
import type { InitAnswers } from './init-file.ts';

class Cancelled extends Error {}

async function answer<T>(asked: Promise<T>): Promise<Exclude<T, symbol>> {
  const value = await asked;
  if (isCancel(value)) throw new Cancelled();
  return value as Exclude<T, symbol>;
}

/** Where the questions appear; the terminal of the process unless given. */
export interface Terminal {
  readonly input?: Readable;
  readonly output?: Writable;
}

/** Asks for everything `init` has to know. Undefined when the person gave up. */
export async function askForAnswers(on: Terminal = {}): Promise<InitAnswers | undefined> {
  try {
    intro('rollcall init', on);
    const databaseUrlEnv = await answer(
      text({
        ...on,
        message: 'Which environment variable holds the database URL?',
        initialValue: DEFAULT_DATABASE_URL_ENV,
        validate: (value) => (isEnvName(value ?? '') ? undefined : 'A name like DATABASE_URL, not the URL itself.'),
      }),
    );
    const destination = await answer(
      select({ ...on, message: 'Where do contacts go?', options: [{ value: 'mailtrap' as const, label: 'Mailtrap' }] }),
    );
    const accountId = await answer(
      text({
        ...on,
        message: 'Mailtrap account id (empty: the token says which account)',
        defaultValue: '',
        validate: (value) => ((value ?? '') === '' || isAccountId(value ?? '') ? undefined : 'A number, or nothing.'),
      }),
    );
    const lists = await answer(
      text({
        ...on,
        message: 'Lists a new contact joins, by id or name, with commas between (empty: none)',
        defaultValue: '',
      }),
    );
    return {
      databaseUrlEnv,
      destination,
      accountId: accountId === '' ? undefined : accountId,
      lists: lists
        .split(',')
        .map((list) => list.trim())
        .filter((list) => list !== ''),
      consent: await askForConsent(on),
    };
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
    cancel('Nothing was written.', on);
    return undefined;
  }
}

async function askForConsent(on: Terminal): Promise<InitAnswers['consent']> {
  const kind = await answer(
    select({
      ...on,
      message: 'Who may be mailed? Signing up is no opt-in.',
      options: [
        { value: 'nobody' as const, label: 'Nobody, until an opt-in' },
        { value: 'column' as const, label: 'People for whom a column or metadata path is true' },
        { value: 'everyone' as const, label: 'Everyone, on a basis that I state and can show' },
      ],
    }),
  );
  if (kind === 'nobody') return { kind };
  if (kind === 'column') {
    const path = await answer(
      text({
        ...on,
        message: 'Which one?',
        placeholder: 'user_metadata.marketing_opt_in',
        validate: (value) => {
          const column = parseColumn((value ?? '').trim());
          return column.ok ? undefined : column.message;
        },
      }),
    );
    return { kind, path: path.trim() };
  }
  const basis = await answer(
    text({
      ...on,
      message: 'Which basis?',
      placeholder: 'customers, soft opt-in at checkout',
      validate: (value) => ((value ?? '').trim() === '' ? 'It is kept in the record of this install.' : undefined),
    }),
  );
  return { kind, basis: basis.trim() };
}
