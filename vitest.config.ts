import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // What a new destination begins with fails by design: see scripts/new-destination.mjs.
    exclude: [...configDefaults.exclude, 'src/testing/template/**'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // Modules keep no state that a test could see, so each process loads them once, not once for each file.
    isolate: false,
    // Most of a test is waiting.
    maxWorkers: 3,
    // Waits for what comes, however busy the machine is: how long it takes is for the benches.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // A machine of CI may stand still for seconds. Whatever needed a second try is printed with `(retry x1)`.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    reporters: ['default'],
  },
});
