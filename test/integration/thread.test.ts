import { afterEach, describe, expect, it } from 'vitest';
import { Thread } from '../../src/core/thread.js';

type Task = { say: string } | { exit: number } | { fail: string };

const program = new URL(`data:text/javascript,
  import { parentPort, workerData } from 'node:worker_threads';
  parentPort.on('message', (task) => {
    if ('exit' in task) process.exit(task.exit);
    if ('fail' in task) throw new RangeError(task.fail);
    parentPort.postMessage([workerData, task.say]);
  });`);

const started: Thread<Task, unknown>[] = [];

afterEach(async () => {
  for (const thread of started.splice(0)) await thread.close();
});

function start(workerData?: unknown): Thread<Task, unknown> {
  const thread = Thread.start<Task, unknown>(program, workerData);
  if (!thread) throw new Error('no thread could be started');
  started.push(thread);
  return thread;
}

/** What a thread says of a task, and what comes when it ended. */
function next(thread: Thread<Task, unknown>, task: Task): Promise<{ heard: unknown } | { ended: unknown }> {
  return new Promise((resolve) => {
    thread.listen({ hear: (heard) => resolve({ heard }), ended: (ended) => resolve({ ended }) });
    thread.keepProcess(true);
    thread.post(task);
  });
}

describe('a thread', () => {
  it('answers tasks, and has the data that it was started with', async () => {
    const thread = start({ number: 7 });
    expect(await next(thread, { say: 'a' })).toEqual({ heard: [{ number: 7 }, 'a'] });
    expect(await next(thread, { say: 'b' })).toEqual({ heard: [{ number: 7 }, 'b'] });
    expect(thread.alive).toBe(true);
  });

  it('says that it ended, and what it failed with', async () => {
    const failing = start();
    expect(await next(failing, { fail: 'too far' })).toMatchObject({
      ended: { name: 'RangeError', message: 'too far' },
    });
    expect(failing.alive).toBe(false);
    expect(await next(start(), { exit: 0 })).toEqual({ ended: undefined });
  });

  it('says that it was closed', async () => {
    const thread = start();
    const ended = new Promise((resolve) => thread.listen({ hear: () => undefined, ended: resolve }));
    await thread.close();
    expect(await ended).toBeUndefined();
    expect(thread.alive).toBe(false);
    // Harmless: nobody hears it.
    thread.post({ say: 'a' });
  });

  it('is not there where it does not answer its first task', async () => {
    const ready = await Thread.startReady<Task, unknown>(program, { say: 'a' });
    if (ready) started.push(ready);
    expect(ready?.alive).toBe(true);
    for (const task of [{ exit: 0 }, { exit: 3 }, { fail: 'at once' }]) {
      expect(await Thread.startReady<Task, unknown>(program, task)).toBeUndefined();
    }
    expect(await Thread.startReady(new URL('file:///no/such/program.js'), {})).toBeUndefined();
  });
});
