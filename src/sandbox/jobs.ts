import * as z from 'zod';
import type { Json, JsonObject } from '../core/json.ts';
import { readSaved, savedJson } from './saved.ts';

/** A job's way: asked for, begun, done. */
const LAST_STAGE = 2;

/** Jobs kept with their results; older finished ones are forgotten. */
const KEPT_JOBS = 1_000;

const savedJobs = z.object({
  lastId: z.int(),
  jobs: z.array(
    z.object({
      id: z.int(),
      createdAt: z.number(),
      updatedAt: z.number(),
      stage: z.int().min(0).max(LAST_STAGE),
      work: savedJson,
      result: savedJson,
    }),
  ),
});

export interface Job<Work extends Json = Json> {
  readonly id: number;
  readonly createdAt: number;
  updatedAt: number;
  /** 0: asked for, 1: begun, 2: done. */
  stage: number;
  /** What there is to do; null once it is done. */
  work: Work | null;
  /** What came of it; null before. */
  result: Json;
}

/**
 * Asynchronous jobs of a stand-in, without timers: a job goes one stage further whenever it is polled, and by itself as the
 * clock passes `stepMs` per stage. Its work is done at the moment it is finished. Work and result are data, so that they can be
 * saved.
 */
export class Jobs<Work extends Json = Json> {
  private readonly jobs = new Map<number, Job<Work>>();
  private readonly open = new Set<Job<Work>>();
  private lastId = 0;
  private readonly now: () => number;
  private readonly stepMs: number;
  private readonly run: (work: Work) => Json;

  constructor(now: () => number, stepMs: number, run: (work: Work) => Json) {
    this.now = now;
    this.stepMs = stepMs;
    this.run = run;
  }

  get busy(): boolean {
    this.settle();
    return this.open.size > 0;
  }

  start(work: Work): Job<Work> {
    this.lastId += 1;
    const at = this.now();
    const job: Job<Work> = { id: this.lastId, createdAt: at, updatedAt: at, stage: 0, work, result: null };
    this.jobs.set(job.id, job);
    this.open.add(job);
    for (const [id, old] of this.jobs) {
      if (this.jobs.size <= KEPT_JOBS) break;
      if (!this.open.has(old)) this.jobs.delete(id);
    }
    return job;
  }

  /** Reads a job and, if it is not finished, takes it one stage further. */
  poll(id: number): Job<Work> | undefined {
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

  /** Everything, as `load` takes it. */
  save(): JsonObject {
    return { lastId: this.lastId, jobs: [...this.jobs.values()].map((job) => ({ ...job })) };
  }

  /**
   * @param saved what `save` gave
   * @throws RollcallError `RC_SANDBOX_STATE`
   */
  load(saved: unknown): void {
    const { lastId, jobs } = readSaved(savedJobs, saved, 'jobs');
    this.clear();
    this.lastId = lastId;
    for (const job of jobs) {
      const kept = { ...job, work: job.work as Work | null };
      this.jobs.set(kept.id, kept);
      if (kept.stage < LAST_STAGE) this.open.add(kept);
    }
  }

  private advance(job: Job<Work>, stage: number): void {
    const reached = Math.min(stage, LAST_STAGE);
    if (reached <= job.stage) return;
    job.stage = reached;
    job.updatedAt = this.now();
    if (reached < LAST_STAGE) return;
    this.open.delete(job);
    if (job.work !== null) job.result = this.run(job.work);
    job.work = null;
  }
}
