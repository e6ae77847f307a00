// The entry of a fetch's threads; fetch-thread.ts starts them and talks to them.
import { parentPort } from 'node:worker_threads';
import { type FetchTask, RangeJobs } from './fetch-jobs.js';

const jobs = new RangeJobs((answer) => parentPort?.postMessage(answer));

parentPort?.on('message', (task: FetchTask) => jobs.take(task));
