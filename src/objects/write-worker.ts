// The entry of the thread that writes small files; write-thread.ts starts it and talks to it.
import { parentPort, workerData } from 'node:worker_threads';
import { carryOut, JobMemory, type WriteJob } from './write-jobs.js';

const memories = (workerData as SharedArrayBuffer[]).map((shared) => new JobMemory(shared));

parentPort?.on('message', (job: WriteJob) => {
  const memory = memories[job.memory];
  if (!memory?.take(job.ticket)) return;
  try {
    carryOut(job, memory);
  } catch {
    // The main thread tries what is left once more, and reports what it meets.
  }
  memory.finish(job.ticket);
});
