import type { Job } from '../../../sandbox/jobs.ts';

const STAGES = ['created', 'started', 'finished'] as const;

/** The vendor's word for how far a job is. */
export function statusOf(job: Pick<Job, 'stage'>): (typeof STAGES)[number] {
  return STAGES[job.stage] ?? 'finished';
}
