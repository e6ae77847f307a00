import { writeFileSync } from 'node:fs';
import { parseCommandLine } from './program.js';

/** Run by the build: `mlv --help` is asked for so often that it should not have to declare every verb first. */
async function writeHelp(): Promise<void> {
  const parsed = await parseCommandLine(['--help']);
  if (!('text' in parsed)) throw new Error('--help gave no text');
  writeFileSync(new URL('../help.txt', import.meta.url), parsed.text);
}

void writeHelp();
