import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { openRemote } from '../../src/remotes/open.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';
import { remoteConformance } from './remote.js';

const baseDirectory = temporaryDirectory('directory-remote');

remoteConformance('a directory', {
  open: () => openRemote('made-by-the-first-put', { baseDirectory }),
  openMissing: () => openRemote('not/there', { baseDirectory }),
  honoursIfAbsent: true,
});

remoteConformance('a directory behind a symbolic link', {
  async open() {
    mkdirSync(join(baseDirectory, 'real'));
    symlinkSync('real', join(baseDirectory, 'link'));
    return openRemote(`file://${join(baseDirectory, 'link')}`, { baseDirectory });
  },
  honoursIfAbsent: true,
});
