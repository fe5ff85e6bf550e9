import { optionSchema, secretsOf } from '../config/option-schema.ts';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { registry } from '../destinations/registry.ts';

/**
 * A deployed config is a file of the function's, which people commit and share: secrets may be named in it and not written out.
 * @param text of the config
 * @throws RollcallError `RC_DEPLOY_SECRET`
 */
export function checkNoSecrets(config: Config, text: string): void {
  const { databaseUrl, erasure, server, alerts, destinations } = config;
  const password = databaseUrl === undefined ? '' : new URL(databaseUrl).password;
  const found: readonly (readonly [string, string | undefined])[] = [
    ['database_url', password],
    ['erasure.key', erasure.key],
    ['erasure.export_token', erasure.exportToken],
    ['server.metrics_token', server.metricsToken],
    ['server.hook_token', server.hookToken],
    ['alerts.secret', alerts?.secret],
    ...destinations.flatMap(({ name, type, options }) => {
      const destination = registry.find(({ id }) => id === type);
      const secrets = destination === undefined ? [] : secretsOf(options, optionSchema(destination));
      return secrets.map((secret) => [`destinations.${name}`, secret] as const);
    }),
  ];
  const written = found.find(([, secret]) => secret !== undefined && secret !== '' && text.includes(secret));
  if (written === undefined) return;
  throw new RollcallError(
    'RC_DEPLOY_SECRET',
    `A secret of ${written[0]} is written out in the config, which is deployed as it is.`,
    {
      hint: 'Name it instead: ${NAME}, with `supabase secrets set NAME=...`, or ${vault:name}.',
      place: { file: config.file, path: written[0] },
    },
  );
}
