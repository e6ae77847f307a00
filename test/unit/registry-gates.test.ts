import { describe, expect, it } from 'vitest';
import { type ApprovalWord, type GateQuestion, judgeGates } from '../../src/registry/gates.js';
import { DEFAULT_POLICY, type Policy, type StagePolicy } from '../../src/registry/policy.js';
import { modelState, versionState } from '../helpers/model-state.js';

const ADA = 'Ada <ada@example.com>';
const BOB = 'Bob <bob@example.com>';
const EVE = 'Eve <eve@example.com>';
const NOON = Date.parse('2026-06-15T12:00:00Z') / 1000;

function policyWith(production: StagePolicy): Policy {
  const roles = { lead: ['ada@example.com', 'BOB@example.com'], risk: ['bob@example.com'] };
  return { ...DEFAULT_POLICY, roles, stages: { ...DEFAULT_POLICY.stages, production } };
}

function judge(production: StagePolicy, given: Partial<GateQuestion> = {}): [string, boolean, string][] {
  const version = given.version ?? versionState('2.0.0', { metrics: { auc: 0.91 } });
  const question: GateQuestion = {
    policy: policyWith(production),
    stage: 'production',
    model: given.model ?? modelState([version]),
    version,
    by: ADA,
    time: NOON,
    standing: { kind: 'none' },
    words: [],
    checks: [],
    ...given,
  };
  return judgeGates(question).map(({ gate, passed, found }) => [gate, passed, found]);
}

function word(by: string, given: Partial<ApprovalWord> = {}): ApprovalWord {
  return { stage: 'production', by, approved: true, seq: 3, ...given };
}

describe('the gates of a promotion', () => {
  it('a stage without rules has no gates', () => {
    expect(judge({})).toEqual([]);
  });

  it('a metric must be as good as the rule says, and is told', () => {
    expect(judge({ metrics: ['auc >= 0.9'] })).toEqual([['metrics', true, 'auc is 0.91']]);
    expect(judge({ metrics: ['auc >= 0.95'] })).toEqual([['metrics', false, 'auc is 0.91']]);
    expect(judge({ metrics: ['recall >= 0.5'] })).toMatchObject([
      ['metrics', false, expect.stringContaining('recall')],
    ]);
    expect(judge({ metrics: ['auc >'] })).toMatchObject([['metrics', false, expect.stringContaining('understood')]]);
  });

  it('a parameter or a field does not pass for a metric', () => {
    const version = versionState('2.0.0');
    version.summary.params = { auc: 1 };
    expect(judge({ metrics: ['auc >= 0.9'] }, { version })[0]?.[1]).toBe(false);
    expect(judge({ metrics: ['params.auc >= 0.9'] }, { version })[0]?.[1]).toBe(true);
  });

  it('a reproduction is what was recorded of the version, whatever a parameter says', () => {
    const rule = { metrics: ['reproduced in ["bit-identical", "equivalent"]'] };
    const version = versionState('2.0.0');
    version.summary.params = { reproduced: 'bit-identical' };
    expect(judge(rule, { version })[0]).toEqual(['metrics', false, 'reproduced is "none"']);
    version.reproduced = { verdict: 'equivalent', by: BOB, at: '2026-06-01T00:00:00Z' };
    expect(judge(rule, { version })[0]?.[1]).toBe(true);
    version.reproduced.verdict = 'different';
    expect(judge(rule, { version })[0]?.[1]).toBe(false);
  });

  it('a comparison with a stage holds where nothing ever stood there, and not because it was emptied', () => {
    const rule = { metrics: ['auc >= @production - 0.01'] };
    const [old, version] = [
      versionState('1.0.0', { metrics: { auc: 0.95 } }),
      versionState('2.0.0', { metrics: { auc: 0.91 } }),
    ];
    const versions = [old, version];
    expect(judge(rule, { version, model: modelState(versions) })[0]?.[1]).toBe(true);
    expect(judge(rule, { version, model: modelState(versions, { production: [['1.0.0']] }) })[0]?.[1]).toBe(false);
    expect(judge(rule, { version, model: modelState(versions, { production: [['1.0.0'], []] }) })[0]?.[1]).toBe(false);
  });

  it('an evaluation must be there and be good', () => {
    const rule = { evaluations: [{ on: 'holdout', metrics: ['auc > 0.8'] }] };
    expect(judge(rule).map(([, passed]) => passed)).toEqual([false, false]);
    const version = versionState('2.0.0', { evaluations: { holdout: { auc: { value: 0.85 } } } });
    expect(judge(rule, { version }).map(([, passed]) => passed)).toEqual([true, true]);
  });

  it('approvals are counted by person, by role, and not the author', () => {
    const two = { approvals: { count: 2, role: 'lead' } };
    const version = versionState('2.0.0', { author: 'Someone <else@example.com>' });
    const passed = (words: ApprovalWord[]): boolean | undefined => judge(two, { version, words })[0]?.[1];
    expect(passed([word(ADA), word(BOB)])).toBe(true);
    expect(passed([word(BOB), word('Robert <bob@EXAMPLE.com>')])).toBe(false);
    expect(passed([word(ADA), word(EVE)])).toBe(false);
    expect(passed([word(ADA), word(BOB, { stage: 'staging' })])).toBe(false);
    expect(passed([word(ADA), word(BOB, { doubt: 'it is not signed' })])).toBe(false);
    expect(judge({ approvals: { count: 1 } }, { words: [word(ADA)] })[0]?.[1]).toBe(false);
    expect(judge({ approvals: { count: 1, not_author: false } }, { words: [word(ADA)] })[0]?.[1]).toBe(true);
  });

  it('a rejection stands until its author approves, and a doubtful word lifts none', () => {
    const no = word(BOB, { approved: false, seq: 2 });
    expect(judge({}, { words: [no] })).toMatchObject([['approvals', false, `rejected by ${BOB}`]]);
    expect(judge({}, { words: [no, word(BOB)] })).toEqual([]);
    expect(judge({}, { words: [no, word(BOB, { doubt: 'unsigned' })] })[0]?.[1]).toBe(false);
    expect(judge({ approvals: { count: 0, role: 'risk' } }, { words: [word(EVE, { approved: false })] })).toHaveLength(
      1,
    );
  });

  it('a check counts by its newest result of the same command', () => {
    const rule = { checks: [{ name: 'smoke', command: 'make smoke' }] };
    const result = { check: 'smoke', command: 'make smoke', exit: 0, by: ADA };
    expect(judge(rule)[0]?.[1]).toBe(false);
    expect(judge(rule, { checks: [result] })[0]?.[1]).toBe(true);
    expect(judge(rule, { checks: [result, { ...result, exit: 1 }] })[0]?.[1]).toBe(false);
    expect(judge(rule, { checks: [{ ...result, command: 'true' }] })[0]?.[1]).toBe(false);
  });

  it('transition, freeze, role and signature', () => {
    expect(judge({ from: ['staging'] })[0]).toEqual(['transition', false, 'it is on none']);
    expect(judge({ from: ['none'] })[0]?.[1]).toBe(true);
    expect(judge({ from: ['staging'] }, { version: versionState('2.0.0', { stages: ['production'] }) })[0]?.[1]).toBe(
      true,
    );
    expect(judge({ freeze: [{ from: '2026-06-15', to: '2026-06-15' }] })[0]?.[1]).toBe(false);
    expect(judge({ freeze: [{ from: '2026-06-16', to: '2026-06-17' }] })[0]?.[1]).toBe(true);
    expect(judge({ roles: ['risk'] })[0]?.[1]).toBe(false);
    expect(judge({ roles: ['risk'] }, { by: BOB })[0]?.[1]).toBe(true);
    expect(judge({ roles: ['constructor'] })[0]?.[1]).toBe(false);
    expect(judge({ signed: true })[0]?.[1]).toBe(false);
    expect(judge({ signed: true }, { standing: { kind: 'good', who: 'ada@example.com', key: 'k' } })[0]?.[1]).toBe(
      true,
    );
  });
});
