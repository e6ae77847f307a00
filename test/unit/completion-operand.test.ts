import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { registryOperand } from '../../src/cli/completion/operand.js';
import { buildProgram } from '../../src/cli/program.js';

const program = buildProgram();

describe('the word under the cursor', () => {
  it.each([
    ['mlv resolve ', 'reference', ''],
    ['mlv resolve fraud@1', 'reference', 'fraud@1'],
    ['mlv compare a@1 b@2 c', 'reference', 'c'],
    ['mlv history fr', 'model', 'fr'],
    ['mlv history fraud pro', 'stage', 'pro'],
    ['mlv -C elsewhere --json promote fraud@1.0.0 ', 'stage', ''],
    ['mlv best --metric auc fr', 'model', 'fr'],
    ['mlv model show fr', 'model', 'fr'],
  ])('in %j is a %s', (line, kind, typed) => {
    expect(registryOperand(program, line)).toEqual({ kind, typed });
  });

  it.each([
    'mlv',
    'mlv ',
    'mlv add x',
    'mlv resolve -',
    'mlv resolve fraud more ',
    'mlv resolve -- x',
    'mlv nothing x',
    '',
  ])('in %j is none of the registry', (line) => {
    expect(registryOperand(program, line)).toBeUndefined();
  });

  it('is found in any line without an error', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void registryOperand(program, `mlv ${text}`)));
  });
});
