import type { RegistryEvent } from '../../src/registry/event.js';
import type { Manifest } from '../../src/registry/manifest.js';
import type { ModelMeta } from '../../src/registry/registry.js';

const OID = `blake3:${'4f'.repeat(32)}`;
const SHA256 = `sha256:${'9c'.repeat(32)}`;
const ADA = 'Ada <ada@example.com>';

/** The manifest in fixtures/registry: every key once. */
export function goldenManifest(): Manifest {
  return {
    mlv: 1,
    model: 'fraud',
    version: '1.4.0',
    artifacts: [{ path: 'model.pkl', oid: OID, sha256: SHA256, size: 1_048_576 }],
    data: [
      { path: 'data/train', oid: OID, sha256: SHA256, size: 5_368_709_120, files: 102_400, source: 's3://lake/train' },
      { path: 'bin/label', oid: OID, sha256: SHA256, size: 12, executable: true },
    ],
    params: { layers: [64, 64], 'model.depth': 6, name: 'run #7', on: true, seed: null, shape: [[1, 2], ['a']] },
    metrics: {
      auc: { value: 0.941, better: 'higher', on: 'data/test', on_oid: OID },
      latency_ms: { value: 12, better: 'lower' },
    },
    environment: {
      os: 'Linux',
      cores: 8,
      gpus: ['NVIDIA H100'],
      packages: ['numpy==2.0.0'],
      locks: { 'uv.lock': SHA256 },
      variables: { SEED: '7' },
      absent: ['cuda'],
    },
    commit: '0123456789abcdef0123456789abcdef01234567',
    branch: 'main',
    difference: OID,
    author: ADA,
    created: '2026-03-01T09:30:00Z',
    run: OID,
    parent: '1.3.0',
    components: [{ model: 'embedder', version: '2.0.0', manifest: SHA256 }],
    licence: 'Apache-2.0',
    description: 'Scores card payments.\nSee the card.',
    owners: [ADA],
    retain_until: '2028-12-31',
    origin: {
      tool: 'mlflow',
      id: 'models:/fraud/3',
      source: 'https://mlflow.example.com',
      created: '2025-11-30T08:00:00Z',
      facts: { experiment: 'Churn study', run: '02c9fb98fa6944cdbfb1d3bc3874a365', stage: 'Production' },
      tags: { team: 'risk', 'why now': 'two\nlines' },
    },
    bump: { part: 'minor', reasons: ['the data changed: data/train'] },
  };
}

/** One event of each type, as in fixtures/registry. */
export function goldenEvents(): RegistryEvent[] {
  const base = {
    mlv: 1,
    model: 'fraud',
    version: '1.4.0',
    manifest: SHA256,
    by: ADA,
    at: '2026-03-02T10:00:00Z',
  } as const;
  const gates = [
    { gate: 'metrics', rule: 'auc >= @production - 0.01', passed: true, found: 'auc is 0.941, production has 0.93' },
  ];
  const attachments = [{ name: 'report.html', oid: OID, sha256: SHA256, size: 1234 }];
  return [
    { ...base, type: 'registered' },
    {
      ...base,
      type: 'promoted',
      reason: 'better on all slices',
      ticket: 'ML-17',
      stage: 'production',
      from: 'staging',
      traffic: 10,
      replaces: ['1.3.0'],
      gates,
      override: true,
    },
    { ...base, type: 'demoted', stage: 'production', to: 'none' },
    { ...base, type: 'archived' },
    { ...base, type: 'rolled-back', stage: 'production', replaces: ['1.5.0'], gates },
    { ...base, type: 'approved', stage: 'production', attachments },
    { ...base, type: 'rejected', reason: 'drifts in: EU', stage: 'production' },
    {
      ...base,
      type: 'evaluated',
      on: 'data/holdout',
      on_oid: OID,
      metrics: { auc: { value: 0.93, better: 'higher' } },
    },
    { ...base, type: 'deprecated', successor: '1.5.0' },
    { ...base, type: 'deployed', stage: 'production', target: 'eu-west-1', note: 'behind the flag' },
    {
      ...base,
      type: 'guarded',
      stage: 'production',
      verdict: 'data-fault',
      signals: [{ ...gates[0]!, passed: false }],
    },
    { ...base, type: 'reproduced', verdict: 'different', found: ['model.pkl differs'] },
    { ...base, type: 'checked', check: 'smoke', command: 'pytest -q', exit: 0, attachments },
  ];
}

/** The model.yaml in fixtures/registry. */
export function goldenMeta(): ModelMeta {
  return {
    mlv: 1,
    description: 'Scores card payments.',
    owners: [ADA],
    licence: 'Apache-2.0',
    card: { language: ['en'], tags: ['fraud', 'tabular'], datasets: [{ name: 'payments', rows: 12 }] },
    other: { jira: 'ML' },
  };
}
