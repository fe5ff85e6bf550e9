import type { RemoteList } from '../../core/destination.ts';
import { RollcallError } from '../../core/errors.ts';
import type { MailtrapConfig } from './config.ts';

/** Names of lists that must become ids before `encode`. */
export function listNames(config: MailtrapConfig): readonly string[] {
  return config.lists.filter((list) => typeof list === 'string');
}

/**
 * The config with list names replaced by ids. Names compare exactly.
 * @throws RollcallError RC_LIST_UNKNOWN when no list, or more than one, has a name
 */
export function resolveLists(config: MailtrapConfig, lists: readonly RemoteList[]): MailtrapConfig {
  const idOf = (name: string): number => {
    const [found, ...more] = lists.filter((list) => list.name === name);
    if (found !== undefined && more.length === 0) return found.id;
    const known = lists.map((list) => `${list.name} (${list.id})`).join(', ');
    throw new RollcallError(
      'RC_LIST_UNKNOWN',
      found === undefined ? `Mailtrap has no list named "${name}".` : `Mailtrap has several lists named "${name}".`,
      {
        hint:
          known === ''
            ? 'Create the list at Mailtrap, or take it out of `lists`.'
            : `Write the id of one of these in \`lists\`: ${known}.`,
        place: { path: 'lists' },
      },
    );
  };
  const ids = config.lists.map((list) => (typeof list === 'number' ? list : idOf(list)));
  return Object.freeze({ ...config, lists: Object.freeze([...new Set(ids)]) });
}
