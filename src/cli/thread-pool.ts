import { access } from 'node:fs';

/**
 * How many files are flushed at once (objects/flush.ts). A flush waits for the journal of the file system, which takes what
 * was asked for meanwhile in one go.
 */
const THREADS = 16;

const SETTING = 'UV_THREADPOOL_SIZE';

/**
 * Starts the threads in which Node makes its calls of the file system, more of them than its four; as many as the
 * environment says where it says so. To be called before anything else uses them.
 */
export function startThreadPool(env: NodeJS.ProcessEnv): void {
  if (env[SETTING] !== undefined) return;
  env[SETTING] = String(THREADS);
  access('.', () => {});
  // Programs that are started from here have their own.
  delete env[SETTING];
}
