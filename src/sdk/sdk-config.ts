import { stringify } from 'yaml';
import type { Env } from '../config/interpolate.ts';
import { parseConfig, readConfig } from '../config/load.ts';
import { optionSchema } from '../config/option-schema.ts';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import type { Registry } from '../homes/configured.ts';

/** Where the library takes its config from. */
export interface ConfigSource {
  /** Path of a `rollcall.yaml`, or what `defineConfig` gives; `ROLLCALL_CONFIG` when absent, else a small one for `destination`. */
  readonly config?: string | object | undefined;
  /** The key of the destination, where no config says it. */
  readonly apiKey?: string | undefined;
  /** Which destination `apiKey` is of; `tajo` when absent. */
  readonly destination?: string | undefined;
}

/** How a config that is no file is called in messages. */
const NO_FILE = 'defineConfig';
const API_KEY = 'ROLLCALL_API_KEY';

/**
 * Reads and checks the config.
 * @param env what `${NAME}` is read from
 * @throws RollcallError `RC_CONFIG_NOT_FOUND`, `RC_CONFIG_UNREADABLE`; ConfigErrors with every mistake in it
 */
export async function configFrom(source: ConfigSource, env: Env, registry: Registry): Promise<Config> {
  const { config = env['ROLLCALL_CONFIG'] || undefined, apiKey } = source;
  if (typeof config === 'string') return await readConfig(config, env, registry);
  if (config !== undefined) return parseConfig(configText(config), { file: NO_FILE, env, registry });
  const text = configText(smallConfig(source, registry));
  const key = apiKey || env[API_KEY];
  if (!key) {
    throw new RollcallError('RC_CONFIG_NOT_FOUND', 'There is neither a config nor the key of a destination.', {
      hint: "Write new Rollcall({ config: 'rollcall.yaml' }), or { apiKey }: the variable that it is read from may not be set.",
    });
  }
  return parseConfig(text, { file: NO_FILE, env: { ...env, [API_KEY]: key }, registry });
}

/**
 * A config as the text of a `rollcall.yaml`, for the command line.
 * @throws RollcallError `RC_CONFIG_YAML` for what has no end, or is no value
 */
export function configText(config: object): string {
  // What a program uses twice is written twice: an alias says nothing to a reader, and too many are no config.
  try {
    return stringify(config, { lineWidth: 0, aliasDuplicateObjects: false });
  } catch {
    throw new RollcallError('RC_CONFIG_YAML', 'The config cannot be written as text.', {
      hint: 'It may hold texts, numbers, true and false, lists and objects of these: no functions, and nothing that is nested in itself.',
    });
  }
}

/**
 * One destination and its key, and nobody subscribed before they say yes.
 * @throws RollcallError `RC_CONFIG_DESTINATION`
 */
function smallConfig({ destination: id = 'tajo' }: ConfigSource, registry: Registry): object {
  const destination = registry.find((each) => each.id === id);
  const { properties = {}, required } = destination === undefined ? {} : optionSchema(destination);
  const key = ((required as readonly string[] | undefined) ?? []).find((name) => properties[name]?.secret === true);
  if (destination === undefined || key === undefined) {
    throw new RollcallError(
      'RC_CONFIG_DESTINATION',
      `There is no destination "${id}" that a key alone is enough for.`,
      {
        hint: `One of ${registry.map((each) => each.id).join(', ')}; or give a config: new Rollcall({ config: 'rollcall.yaml' }).`,
      },
    );
  }
  return {
    environment: '${ROLLCALL_ENVIRONMENT:-production}',
    destinations: { [id]: { [key]: `\${${API_KEY}}` } },
    consent: 'nobody',
  };
}
