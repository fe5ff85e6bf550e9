export type JobStatus = 'created' | 'started' | 'finished';

const STAGES = ['created', 'started', 'finished'] as const;

export interface Job<Result = unknown> {
  readonly id: number;
  readonly createdAt: number;
  updatedAt: number;
  stage: number;
  /** The work; dropped once done, with all it holds. */
  finish: (() => Result) | null;
  result: Result | null;
}

/** Jobs kept with their results; older finished ones are forgotten. */
const KEPT_JOBS = 1_000;

/**
 * Asynchronous jobs without timers: a job goes one stage further whenever it is polled, and by itself as the clock
 * passes `stepMs` per stage. Its work is done at the moment it is finished.
 */
export class Jobs {
  private readonly jobs = new Map<number, Job>();
  private readonly open = new Set<Job>();
  private lastId = 0;
  private readonly now: () => number;
  private readonly stepMs: number;

  constructor(now: () => number, stepMs: number) {
    this.now = now;
    this.stepMs = stepMs;
  }

  get busy(): boolean {
    this.settle();
    return this.open.size > 0;
  }

  start(finish: () => unknown): Job {
    this.lastId += 1;
    const at = this.now();
    const job: Job = { id: this.lastId, createdAt: at, updatedAt: at, stage: 0, finish, result: null };
    this.jobs.set(job.id, job);
    this.open.add(job);
    for (const [id, old] of this.jobs) {
      if (this.jobs.size <= KEPT_JOBS) break;
      if (!this.open.has(old)) this.jobs.delete(id);
    }
    return job;
  }

  /** Reads a job and, if it is not finished, takes it one stage further. */
  poll(id: number): Job | undefined {
    this.settle();
    const job = this.jobs.get(id);
    if (job !== undefined) this.advance(job, job.stage + 1);
    return job;
  }

  /** Takes every open job as far as the clock says. */
  settle(): void {
    if (this.open.size === 0) return;
    for (const job of this.open) this.advance(job, Math.floor((this.now() - job.createdAt) / this.stepMs));
  }

  clear(): void {
    this.jobs.clear();
    this.open.clear();
  }

  private advance(job: Job, stage: number): void {
    const reached = Math.min(stage, STAGES.length - 1);
    if (reached <= job.stage) return;
    job.stage = reached;
    job.updatedAt = this.now();
    if (statusOf(job) !== 'finished') return;
    this.open.delete(job);
    job.result = job.finish?.() ?? null;
    job.finish = null;
  }
}

export function statusOf(job: Job): JobStatus {
  return STAGES[job.stage] ?? 'finished';
}
