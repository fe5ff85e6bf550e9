import { startWorker } from '../worker.ts';
import type { Home } from './home.ts';

/** One worker, a process of its own. */
export const workerHome: Home = {
  name: 'worker',
  deploy: async () => undefined,
  async start({ yaml }) {
    let worker = await startWorker(yaml);
    return {
      async kill() {
        await worker.end('SIGKILL');
        worker = await startWorker(yaml);
      },
      end: () => worker.end('SIGTERM'),
    };
  },
};
