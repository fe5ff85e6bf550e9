import { RollcallError } from '../core/errors.ts';
import type { Cli } from './cli.ts';

/**
 * Whether to go on: `--yes`, else the answer of the person at the terminal.
 * @throws RollcallError `RC_CONFIRM` where there is nobody to ask
 */
export async function ask(cli: Cli, question: string, yes: boolean | undefined): Promise<boolean> {
  if (yes === true) return true;
  if (!cli.io.interactive) {
    throw new RollcallError(
      'RC_CONFIRM',
      'Nothing was changed: this needs a yes, and there is no terminal to ask on.',
      {
        hint: 'Add --yes to go ahead.',
      },
    );
  }
  if (await cli.io.confirm(question)) return true;
  cli.note('Nothing was changed.');
  return false;
}
