// The entry of a push's threads; push-thread.ts starts them and talks to them.
import { parentPort } from 'node:worker_threads';
import { JobRunner, type PushJob } from './push-jobs.js';

const runner = new JobRunner();
let done: Promise<void> = Promise.resolve();

parentPort?.on('message', (job: PushJob) => {
  done = done.then(async () => {
    const { answer, transfer } = await runner.run(job);
    parentPort?.postMessage(answer, transfer);
  });
});
