import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMlvError } from '../../src/core/errors.js';
import { parseCondition } from '../../src/registry/condition.js';
import { evaluate, type Facts } from '../../src/registry/condition-evaluate.js';
import { factsFrom } from '../../src/registry/condition-facts.js';
import type { LogicExpression, ValueExpression } from '../../src/registry/condition-syntax.js';

const DATA = `blake3:${'ab12cd34'.repeat(8)}`;
const SOURCE = {
  metrics: { auc: { value: 0.91 }, 'val/loss': { value: 0.3 }, 'ndcg@10': { value: 0.5 }, depth: { value: 1 } },
  params: { depth: 6, 'model.lr': 0.01, name: 'xgb', layers: [64, 32], tuned: true, seed: null },
  evaluations: { 'holdout-2026': { auc: { value: 0.88 } } },
  fields: {
    stage: ['staging'],
    created: '2026-03-01T10:00:00Z',
    data: [DATA],
    author: 'Ada <ada@x.org>',
    deprecated: false,
  },
};
const PRODUCTION = factsFrom({ metrics: { auc: { value: 0.915 } }, params: {} });
const onStage = (stage: string): Facts | undefined => (stage === 'production' ? PRODUCTION : undefined);
const facts = factsFrom(SOURCE, { onStage });

const holds = (text: string, given = facts): boolean => evaluate(parseCondition(text), given).holds;

describe('a condition', () => {
  it.each([
    'metrics.auc > 0.9 and stage == "staging"',
    "metrics.auc > 0.9 and stage == 'staging'",
    'auc >= 0.91 and auc <= .91 and auc == 9.1e-1 and auc != 1',
    'auc > 1 or not auc > 1',
    'not auc > 1 and not (auc < 0.5 or auc > 0.95)',
    'metrics["val/loss"] < 0.5',
    'ndcg@10 == 0.5',
    'depth == 1 and params.depth == 6',
    'model.lr == 0.01 and params.model.lr == 0.01',
    'evaluations["holdout-2026"].auc > 0.85',
    'name == "xgb" and name in ["lgbm", "xgb"] and name not in ["mlp"]',
    'stage in ["staging", "production"] and stage != "production"',
    'tuned and tuned == true and not deprecated',
    'seed == null and name != null',
    'layers == [64, 32] and layers has 64 and layers != [32, 64]',
    `data has "${DATA}" and data contains "blake3:ab12cd34ab" and not data has "blake3:ffffffff"`,
    'author has "ada@x.org"',
    'created == 2026-03-01 and created >= 2026-03-01 and created <= 2026-03-01 and not created > 2026-03-01',
    'created < 2026-03-02 and created > 2026-02-28 and created == 2026-03-01T10:00:00Z',
    'created < 2026-03-01T12:00:00+01:00',
    'auc >= @production - 0.01 and auc - @production > -0.006 and not auc >= @production',
    'auc@production == 0.915 and metrics.auc@production > 0.9',
    'auc * 2 - 1 > 0.8 and 1 / 4 == 0.25 and 2 + 3 * 4 == 14 and (2 + 3) * 4 == 20 and 8 / 2 / 2 == 2 and -auc < 0',
    'has auc and not has loss and has metrics["val/loss"] and has auc@production and not has auc@canary',
    'true and not false',
  ])('holds: %s', (text) => {
    const verdict = evaluate(parseCondition(text), facts);
    expect(verdict).toMatchObject({ holds: true, problems: [] });
  });

  it.each([
    ['loss < 0.5', 'there is no loss', ['loss']],
    ['not loss < 0.5', 'there is no loss', ['loss']],
    ['constructor == 1', 'there is no constructor', ['constructor']],
    ['auc > @canary', 'nothing stands on canary', ['auc@canary']],
    ['f1@production > 0.5', 'production has no f1', ['f1@production']],
    ['name > 3', 'name is text, 3 is a number: they cannot be compared', []],
    ['params.depth == "6"', 'params.depth is a number, "6" is text: they cannot be compared', []],
    ['name + 1 > 3', 'name is "xgb", no number to reckon with', []],
    ['auc / 0 > 3', 'something is divided by zero', []],
    ['tuned > false', 'tuned and false are true or false: they have no order', []],
    ['auc', 'auc is 0.91, which is neither true nor false', []],
    ['auc in name', 'name is no list', []],
    ['auc has 3', 'auc is neither a list nor text', []],
  ])('that cannot be judged does not hold and says why: %s', (text, problem, missing) => {
    expect(evaluate(parseCondition(text), facts)).toMatchObject({ holds: false, problems: [problem], missing });
  });

  it('tells every figure it looked at, once', () => {
    const verdict = evaluate(parseCondition('auc > 0.95 and auc >= @production and loss < 1'), facts);
    expect(verdict.found).toBe('auc is 0.91, auc on production is 0.915, loss is missing');
    expect(verdict.figures).toEqual([
      { name: 'auc', value: 0.91 },
      { name: 'auc@production', value: 0.915 },
      { name: 'loss', value: undefined },
    ]);
  });

  it('decides in spite of a missing name where the rest decides', () => {
    expect(holds('auc > 0.9 or loss < 1')).toBe(true);
    expect(holds('not (auc < 0.9 and loss < 1)')).toBe(true);
  });

  it('lets the first version onto an empty stage where gates ask for it, but not without the metric itself', () => {
    const gate = factsFrom(SOURCE, { onStage, emptyStageHolds: true });
    expect(holds('auc >= @canary - 0.01', gate)).toBe(true);
    expect(holds('auc >= @production', gate)).toBe(false);
    expect(holds('f1 >= @canary', gate)).toBe(false);
    expect(holds('f1 >= @production', gate)).toBe(false);
  });

  it.each([
    ['', 1, 'it is empty'],
    ['auc >', 6, 'expected a name or a value, found the end'],
    ['auc >> 1', 6, 'expected a name or a value, found >'],
    ['auc = 1', 5, "'=' has no meaning here"],
    ['ä = 1', 3, "'=' has no meaning here"],
    ['😀', 1, "'😀' has no meaning here"],
    ['(auc > 1', 9, 'expected ), found the end'],
    ['auc > 1 loss', 9, 'expected and, or, or the end, found loss'],
    ['0.8 < auc < 0.9', 11, 'comparisons do not follow one another'],
    ['0.9', 1, 'this is neither true nor false'],
    ['auc > 1 and 5', 13, 'this is neither true nor false'],
    ['(auc > 1) + 1 > 2', 1, 'a value is expected, and this is true or false'],
    ['auc > "x', 7, 'the text that begins here has no end'],
    ['auc > "\\n"', 8, 'only \\" and \\\\ are known behind a backslash'],
    ['1.2.3 > 1', 1, 'this is no number'],
    ['auc > 1e999', 7, '1e999 is too large a number'],
    ['created > 2026-02-30', 11, '2026-02-30 is no date'],
    ['auc in 3', 8, 'in asks for a list'],
    ['has 3', 5, 'has asks for a name'],
    ['auc. > 3', 6, 'a name must follow the dot'],
    ['metrics[auc] > 3', 9, 'a name in quotes must follow the bracket'],
    ['auc > [1 2]', 10, 'expected , or ], found 2'],
    ['@production > 0.9', 1, '@production stands for one name that it is compared with, and here is not exactly one'],
    ['auc + f1 > @production', 12, '@production stands for one name'],
    ['has @production', 5, 'has asks for a name'],
    [`${'('.repeat(80)}auc > 1${')'.repeat(80)}`, 66, 'it is nested too deeply'],
    [`${'not '.repeat(80)}auc > 1`, 261, 'it is nested too deeply'],
    [`auc > ${'-'.repeat(80)}1`, 72, 'it is nested too deeply'],
  ])('that is wrong is refused at its column: %s', (text, column, problem) => {
    try {
      parseCondition(text);
      expect.unreachable();
    } catch (error) {
      if (!isMlvError(error)) throw error;
      expect(error).toMatchObject({ code: 'EXPRESSION_INVALID', data: { condition: text, column } });
      expect(error.message).toContain(`at column ${column}: ${problem}`);
    }
  });

  it('is bounded in length', () => {
    expect(() => parseCondition(`auc > ${'1'.repeat(5000)}`)).toThrow(/at most 4096/);
    expect(holds(`${'auc > 0 and '.repeat(300)}auc > 0`)).toBe(true);
  });
});

// Trees of conditions, written out with all their parentheses: what is parsed must be what was written.
const path = fc.constantFrom(['auc'], ['metrics', 'auc'], ['params', 'in'], ['metrics', 'a "b" \\'], ['ndcg@5']);
const name = fc
  .record({ path, stage: fc.constantFrom(undefined, 'production', 'pre-prod') })
  .map(({ path: parts, stage }): Extract<ValueExpression, { kind: 'name' }> => {
    const text = parts
      .map((part, index) => (index === 0 ? part : /^\w+$/.test(part) ? `.${part}` : `[${quoted(part)}]`))
      .join('');
    return { kind: 'name', path: parts, text, ...(stage === undefined ? {} : { stage }) };
  });
const literal = fc
  .oneof(
    fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.constant(null),
  )
  .map((value): ValueExpression => ({ kind: 'literal', value }));
const { value, logic } = fc.letrec<{ value: ValueExpression; logic: LogicExpression }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    name,
    literal,
    fc.record({ kind: fc.constant('negate' as const), operand: tie('value') }),
    fc.record({ kind: fc.constant('list' as const), items: fc.array(tie('value'), { maxLength: 3 }) }),
    fc.record({
      kind: fc.constant('arithmetic' as const),
      operator: fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const),
      left: tie('value'),
      right: tie('value'),
    }),
  ),
  logic: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.record({
      kind: fc.constant('compare' as const),
      operator: fc.constantFrom('==', '!=', '<', '<=', '>', '>=', 'has'),
      left: tie('value'),
      right: tie('value'),
    }) as fc.Arbitrary<LogicExpression>,
    fc.record({ kind: fc.constant('present' as const), name }),
    name,
    fc.record({ kind: fc.constant('not' as const), operand: tie('logic') }),
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), left: tie('logic'), right: tie('logic') }),
  ),
}));

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function written(expression: LogicExpression | ValueExpression): string {
  switch (expression.kind) {
    case 'literal':
      return typeof expression.value === 'string' ? quoted(expression.value) : String(expression.value);
    case 'name':
      return expression.stage === undefined ? expression.text : `${expression.text}@${expression.stage}`;
    case 'list':
      return `[${expression.items.map(written).join(', ')}]`;
    case 'negate':
      return `(-${written(expression.operand)})`;
    case 'present':
      return `has ${written(expression.name)}`;
    case 'not':
      return `(not ${written(expression.operand)})`;
    case 'and':
    case 'or':
      return `(${written(expression.left)} ${expression.kind} ${written(expression.right)})`;
    default:
      return `(${written(expression.left)} ${expression.operator} ${written(expression.right)})`;
  }
}

describe('the reader of conditions', () => {
  it('understands what is written as it was meant', () => {
    fc.assert(
      fc.property(logic, (expression) => {
        const text = written(expression);
        fc.pre(text.length <= 4096);
        expect(parseCondition(text).expression).toEqual(expression);
        evaluate(parseCondition(text), facts);
      }),
    );
  });

  it('gives a condition or EXPRESSION_INVALID for any text, and no verdict is an error', () => {
    const words = fc.constantFrom(
      'auc',
      '>',
      '==',
      '(',
      ')',
      '[',
      ']',
      ',',
      'not',
      'in',
      'and',
      '0.9',
      '"x"',
      '@p',
      '-',
      '.',
      'has',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words).map((list) => list.join(' ')),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          evaluate(parseCondition(given), facts);
        } catch (error) {
          if (!isMlvError(error, 'EXPRESSION_INVALID')) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('reckons as the machine does', () => {
    fc.assert(
      fc.property(value, value, (left, right) => {
        const verdict = evaluate(parseCondition(`${written(left)} == ${written(right)}`), facts);
        const opposite = evaluate(parseCondition(`${written(left)} != ${written(right)}`), facts);
        expect(verdict.holds && opposite.holds).toBe(false);
        expect(opposite.problems).toEqual(verdict.problems);
      }),
    );
  });
});
