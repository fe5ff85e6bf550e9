import { run } from './install.mjs';

/** Runs tests; without names all of them. Ends this process when one fails. */
export function vitest(args, env) {
  run('node_modules/.bin/vitest', ['run', ...args], { env });
}
