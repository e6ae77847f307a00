import { describe, expect, it } from 'vitest';
import { judgeGuard, type Observed } from '../../src/registry/guard.js';
import { versionState } from '../helpers/model-state.js';

const current = versionState('2.0.0', { metrics: { auc: 0.9, latency_ms: 40, positive_rate: 0.1 } });
const previous = versionState('1.0.0', { metrics: { auc: 0.88 } });

function judge(observed: Observed, previously?: Observed, all = 0.05): ReturnType<typeof judgeGuard> {
  const others = previously === undefined ? [] : [{ version: previous, observed: previously }];
  return judgeGuard({ version: current, observed, others, tolerance: { all, of: {} } });
}

describe('guarding a stage', () => {
  it('within its tolerances a version is healthy', () => {
    expect(judge({ auc: 0.87, latency_ms: 41, positive_rate: 0.102 })).toMatchObject({ verdict: 'healthy' });
    expect(judge({ auc: 0.99, latency_ms: 5 }).verdict).toBe('healthy');
  });

  it('figures go wrong in the direction that is worse, and rates in both', () => {
    const failed = (observed: Observed): boolean => judge(observed).signals.some(({ passed }) => !passed);
    expect(failed({ latency_ms: 50 })).toBe(true);
    expect(failed({ auc: 0.8 })).toBe(true);
    expect(failed({ positive_rate: 0.2 })).toBe(true);
    expect(failed({ positive_rate: 0.05 })).toBe(true);
  });

  it('where another version does well on the same data, the version is at fault', () => {
    expect(judge({ auc: 0.7 }, { auc: 0.87 })).toMatchObject({ verdict: 'version-fault' });
  });

  it('where all versions fell on the same data, the data is at fault', () => {
    expect(judge({ auc: 0.7 }, { auc: 0.69 })).toMatchObject({ verdict: 'data-fault' });
  });

  it('where nobody can tell, it says so', () => {
    expect(judge({ auc: 0.7 })).toMatchObject({
      verdict: 'unclear',
      because: expect.stringContaining('no other version'),
    });
    expect(judge({ unheard: 1 })).toMatchObject({ verdict: 'unclear', signals: [] });
    expect(judge({ auc: 0.7 }, { other: 1 })).toMatchObject({ verdict: 'unclear' });
  });

  it('a fall in one figure that the others share does not hide the fall in another that they do not', () => {
    const older = versionState('1.0.0', { metrics: { auc: 0.88, recall: 0.6 } });
    const version = versionState('2.0.0', { metrics: { auc: 0.9, recall: 0.6 } });
    const others = [{ version: older, observed: { auc: 0.7, recall: 0.6 } }];
    const report = judgeGuard({
      version,
      observed: { auc: 0.7, recall: 0.3 },
      others,
      tolerance: { all: 0.05, of: {} },
    });
    expect(report.verdict).toBe('version-fault');
  });

  it('a tolerance of its own goes before that of all', () => {
    const report = judgeGuard({
      version: current,
      observed: { auc: 0.85 },
      others: [],
      tolerance: { all: 0.1, of: { auc: 0 } },
    });
    expect(report.signals).toMatchObject([{ passed: false, rule: 'auc at least 0.9' }]);
  });

  it('the results of the window itself are no baseline', () => {
    const version = versionState('2.0.0', {
      evaluations: { june: { auc: { value: 0.5 } }, may: { auc: { value: 0.9 } } },
    });
    const question = { version, observed: { auc: 0.5 }, others: [], tolerance: { all: 0.05, of: {} }, window: 'june' };
    expect(judgeGuard(question).signals).toMatchObject([{ passed: false, found: 'auc is 0.5, evaluated on may 0.9' }]);
  });
});
