// A process that stops in the middle of a put, to be killed there. Arguments: the base directory and the key.
import { DirectoryRemote } from '../../src/remotes/directory.js';

const [, , base = '', key = ''] = process.argv;

async function* neverEnding(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(1024 * 1024);
  yield Buffer.alloc(1024 * 1024);
  process.stdout.write('in the middle\n');
  setInterval(() => undefined, 60_000);
  await new Promise(() => undefined);
}

await new DirectoryRemote(base).put(key, { size: 4 * 1024 * 1024, open: neverEnding });
