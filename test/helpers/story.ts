import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment, MLV_BIN } from './cli.js';
import { PYTHON } from './python.js';
import { temporaryDirectory } from './temporary-directory.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url));

/** The shell commands of a document, in their order: its blocks marked `sh`. */
function commandsOf(document: string): string {
  return [...document.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, commands]) => commands).join('\n');
}

/** How a script ended. */
export interface StoryResult {
  exitCode: number | null;
  /** Standard output and standard error, as they came. */
  output: string;
  /** Where it ran. */
  cwd: string;
}

/**
 * Runs the commands of a document in an empty directory, in one bash that stops at the first failure, with `mlv` on its
 * PATH. Where `trains` is false, `python3` is a stand-in that puts the committed data and models of fixtures/ where the
 * story's scripts would have put theirs, and says so.
 */
export function runStory(name: string, { trains }: { trains: boolean }): Promise<StoryResult> {
  const cwd = temporaryDirectory('story');
  const bin = temporaryDirectory('bin');
  const program = (file: string, text: string): void => writeFileSync(join(bin, file), text, { mode: 0o755 });
  program('mlv', `#!/bin/sh\nexec '${process.execPath}' '${MLV_BIN}' "$@"\n`);
  if (trains) program('python3', `#!/bin/sh\nexec '${PYTHON}' "$@"\n`);
  else {
    writeFileSync(join(bin, 'stand-in.mjs'), STAND_IN);
    program('python3', `#!/bin/sh\nexec '${process.execPath}' '${join(bin, 'stand-in.mjs')}' '${FIXTURES}' "$@"\n`);
  }
  const document = readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8');
  // The story sets its people's names in their clones.
  const people = Object.fromEntries(
    ['GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL', 'GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL'].map((key) => [key, undefined]),
  );
  const env = cleanEnvironment({ ...people, PATH: `${bin}:${process.env.PATH}` });
  const child = spawn('bash', ['-euo', 'pipefail', '-c', commandsOf(document)], { cwd, env });
  child.stdin.end();
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, output, cwd }));
  });
}

/** Does what the story's two scripts do, with what is committed; anything else is no Python. */
const STAND_IN = `
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
const [, , fixtures, script] = process.argv;
if (script !== 'prepare.py' && script !== 'train.py') process.exit(127);
console.log('scikit-learn is not here: ' + script + ' takes what is committed in fixtures/');
if (script === 'prepare.py') {
  mkdirSync('data', { recursive: true });
  copyFileSync(fixtures + 'data/digits.csv', 'data/digits.csv');
} else {
  const second = existsSync('model.pkl');
  const metrics = JSON.parse(readFileSync(fixtures + 'models/metrics.json', 'utf8'));
  copyFileSync(fixtures + (second ? 'v2/' : '') + 'models/model.pkl', 'model.pkl');
  writeFileSync('metrics.json', JSON.stringify({ accuracy: (second ? metrics.mlp : metrics.forest).accuracy }));
}
`;
