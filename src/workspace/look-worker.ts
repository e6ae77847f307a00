// The entry of the thread that looks at files beside a walk; look-ahead.ts starts it.
import { workerData } from 'node:worker_threads';
import { carryOutLook, type LookJob } from './look-job.js';

try {
  carryOutLook(workerData as LookJob);
} catch {
  // The walk looks at the rest itself, and reports what it meets.
}
