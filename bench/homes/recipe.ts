import type { Host } from '../../test/support/platform/extension.ts';
import { createNet } from '../../test/support/platform/net.ts';
import { sendryRecipe } from '../../test/support/recipes/sendry.ts';
import { createVault, putSecret } from '../../test/support/vault.ts';

/**
 * Installs Sendry's own recipe word for word, with what it needs of the platform: in the transaction of each sign-up two reads of Vault, a
 * call of pg_net and a row of a log.
 */
export async function installRecipe(
  host: Host,
  { url, token, audience }: { readonly url: string; readonly token: string; readonly audience: string },
): Promise<void> {
  await createNet(host);
  await createVault(host);
  await putSecret(host, 'sendry_api_key', token);
  await putSecret(host, 'sendry_audience_id', audience);
  await host.app.query(sendryRecipe(url));
}
