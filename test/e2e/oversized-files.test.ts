import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { migratedTexts } from '../../src/cli/migrate/texts.js';
import { runMlv } from '../helpers/cli.js';
import { makeMlvRepository } from '../helpers/mlv-repository.js';

/** More than a buffer of Node holds; on the disk it is nothing but a hole. */
const HUGE = 5 * 1024 ** 3;

async function refusalOf(cwd: string, ...args: string[]): Promise<[number, string, string]> {
  const { exitCode, stdout } = await runMlv([...args, '--json'], { cwd });
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
  return [exitCode, error.code, error.message];
}

describe('files of a repository that are longer than any such file', () => {
  it.each([
    ['data/.mlvignore', ['add', 'data'], [2, 'PATH_UNSUPPORTED']],
    ['.gitignore', ['add', 'data'], [2, 'PATH_UNSUPPORTED']],
    ['.gitattributes', ['init', '--git-attributes'], [2, 'PATH_UNSUPPORTED']],
    ['.gitlab-ci.yml', ['ci', 'init', 'gitlab'], [2, 'PATH_UNSUPPORTED']],
    ['mlv.yaml', ['status'], [2, 'CONFIG_INVALID']],
    ['mlv.yaml', ['repro'], [2, 'CONFIG_INVALID']],
  ] as const)('%s: mlv %j says so, and writes nothing', async (name, args, expected) => {
    const cwd = await makeMlvRepository({ 'data/a': 'a' });
    const path = join(cwd, name);
    const before = name === 'mlv.yaml' ? readFileSync(path) : '*.tmp\n';
    writeFileSync(path, before);
    truncateSync(path, HUGE);
    const [exitCode, code, message] = await refusalOf(cwd, ...args);
    expect([exitCode, code]).toEqual(expected);
    expect(message).toContain(name);
    expect(statSync(path).size).toBe(HUGE);
    rmSync(path);
  });

  it('a version of one in Git is no empty one for a migration', async () => {
    const sizes = async (): Promise<Map<string, number>> => new Map([['aa', HUGE]]);
    const git = { sizes, smallBlobs: async () => new Map<string, Buffer>() };
    await expect(migratedTexts(git, new Map([['aa', 'sub/.gitattributes']]))).rejects.toMatchObject({
      code: 'FOREIGN_INVALID',
      data: { path: 'sub/.gitattributes', size: HUGE },
    });
  });
});
