// Loaded into a worker before anything else: moves its clock, and writes down when each request leaves it, and that its answer was
// read. The worker itself is as it is shipped.
import diagnostics from 'node:diagnostics_channel';
import { openSync, writeSync } from 'node:fs';

const skewMs = Number(process.env.ROLLCALL_CHAOS_SKEW_MS ?? 0);
if (skewMs !== 0) {
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...args) {
      super(...(args.length === 0 ? [Real.now() + skewMs] : args));
    }

    static now() {
      return Real.now() + skewMs;
    }
  };
}

const { ROLLCALL_CHAOS_SENDS: sends } = process.env;
const file = sends === undefined ? undefined : openSync(sends, 'a');
const ids = new WeakMap();
let count = 0;

// A name for each request, so that it is known again at the proxy.
diagnostics.subscribe('undici:request:create', ({ request }) => {
  count += 1;
  const id = `${process.pid}.${count}`;
  ids.set(request, id);
  request.addHeader('x-chaos-sent', id);
});

// The clock is one for all processes of the machine.
const now = () => Number(process.hrtime.bigint() / 1_000n) / 1_000;

// Written at once, as the process may be killed at any moment.
const write = (what) => {
  if (file !== undefined) writeSync(file, `${JSON.stringify(what)}\n`);
};

diagnostics.subscribe('undici:client:sendHeaders', ({ request }) => {
  write({ id: ids.get(request), at: now(), method: request.method, path: request.path });
});

// The whole answer was read, and nobody had given it up.
diagnostics.subscribe('undici:request:trailers', ({ request }) => write({ answered: ids.get(request), at: now() }));
// It was cut off, or given up: whoever sent it knows that it is over.
diagnostics.subscribe('undici:request:error', ({ request }) => write({ failed: ids.get(request), at: now() }));
