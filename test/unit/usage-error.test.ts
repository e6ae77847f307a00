import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/program.js';

async function refusal(...argv: string[]): Promise<{ message: string; hint: string | undefined }> {
  const error = await parseCommandLine(argv).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'USAGE' });
  const { message, hint } = error as { message: string; hint?: string };
  return { message, hint };
}

describe('a command line that is not understood', () => {
  it('is answered with the operands of its verb where one is missing', async () => {
    const { message, hint } = await refusal('rollback', 'fraud');
    expect(message).toContain("missing required argument 'stage'");
    expect(hint).toContain('mlv rollback <model> <stage>');
    expect((await refusal('remote', 'add', 'x')).hint).toContain('mlv remote add <name> <url>');
  });

  it('is answered with the verbs that there are where one is missing or unknown', async () => {
    for (const argv of [['policy'], ['policy', 'nothing']]) {
      expect((await refusal(...argv)).hint).toBe('the verbs are: mlv policy show, mlv policy check, mlv policy set');
    }
  });

  it('is answered with the option that an operand too many was meant for', async () => {
    expect((await refusal('approve', 'fraud@1.0.0', 'production')).hint).toBe('did you mean --stage <name>?');
    expect((await refusal('mv', 'a', 'b', 'c')).hint).toContain('mlv mv <from> <to>');
  });

  it('says where the options of a command go that is to be run', async () => {
    for (const argv of [
      ['run', '-o', 'x', 'python3', 'train.py', '--epochs', '3'],
      ['run', 'sh', '-c', 'true'],
    ])
      expect((await refusal(...argv)).hint).toContain('stands behind --');
  });

  it('knows what other tools call a verb', async () => {
    expect((await refusal('versions')).hint).toBe('did you mean mlv list <model>?');
    expect((await refusal('config', 'core.jobs', '4')).hint).toContain('mlv config set core.jobs <value>');
    expect((await refusal('fsck', '--fix')).hint).toBe('did you mean --repair?');
  });
});
