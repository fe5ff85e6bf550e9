/** What the platform gives to a function beside the Web's APIs; all of it may be missing. */
interface Globals {
  readonly EdgeRuntime?: { waitUntil?(promise: Promise<unknown>): void };
  readonly Deno?: { readonly env?: { toObject(): Record<string, string> } };
  readonly addEventListener?: (type: 'beforeunload', listener: () => void) => void;
}

const globals = globalThis as unknown as Globals;

/** The environment of the function. */
export function platformEnv(): Readonly<Record<string, string>> {
  return globals.Deno?.env?.toObject() ?? {};
}

/** Keeps the isolate alive until the promise ends, where the platform can (`EdgeRuntime.waitUntil`); false where it cannot. */
export function waitUntil(promise: Promise<unknown>): boolean {
  const { EdgeRuntime } = globals;
  if (EdgeRuntime?.waitUntil === undefined) return false;
  EdgeRuntime.waitUntil(promise);
  return true;
}

/** Calls when the platform is about to end the isolate, as when it has used up its time (`beforeunload`). */
export function onUnload(listener: () => void): void {
  globals.addEventListener?.('beforeunload', listener);
}
