import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { betterByName } from '../../src/provenance/metrics.js';
import { mergeMetrics, parseMetricAssignment, parseMetrics } from '../../src/provenance/parse-metrics.js';

describe('metrics of a file', () => {
  it.each([
    ['m.json', '{"forest": {"accuracy": 0.95, "model": "rf"}, "rows": 450, "ok": true, "none": null, "curve": [1, 2]}'],
    ['m.yaml', 'forest: {accuracy: 0.95, model: rf}\nrows: 450\n'],
    ['m.csv', 'name,value\nforest.accuracy,0.95\nrows,450\n'],
    ['m.csv', 'forest.accuracy,0.95\nrows,450\n'],
    ['m.tsv', 'metric\tvalue\nforest.accuracy\t0.95\nrows\t450\n'],
    ['m.csv', 'epoch,forest.accuracy,rows,comment\n1,0.5,450,first\n2,0.95,,last\n'],
  ])('are its numbers by dotted name: %s %s', async (file, text) => {
    expect(await parseMetrics(text, file)).toEqual({ 'forest.accuracy': { value: 0.95 }, rows: { value: 450 } });
  });

  it('of a table of steps are the last that each column has', async () => {
    const text = 'step,train_loss,val_auc\n0,0.9,\n1,,0.7\n2,0.4,\n';
    expect(await parseMetrics(text, 'log.csv')).toEqual({
      train_loss: { value: 0.4, better: 'lower' },
      val_auc: { value: 0.7 },
    });
  });

  it('of a file that no figures need is refused before it fills the memory', async () => {
    const wide = `${'c,'.repeat(300_000)}c`;
    for (const [file, text, reason] of [
      ['m.csv', `${wide}\n${wide}\n`, 'more than 10000 columns'],
      ['m.csv', `"c",${wide}\n`, 'more than 10000 columns'],
      ['m.csv', `a,1\n${Array.from({ length: 10_001 }, (_, at) => `n${at},1`).join('\n')}`, 'more than 10000 names'],
      ['m.json', `{"a": [${'1,'.repeat(3_000_000)}1]}`, 'larger than 4 MiB, as JSON'],
      ['m.yaml', `a: [${'1,'.repeat(600_000)}1]`, 'larger than 1 MiB, as YAML'],
    ] as const) {
      await expect(parseMetrics(text, file)).rejects.toMatchObject({
        code: 'METRICS_INVALID',
        message: expect.stringContaining(reason),
      });
    }
    expect(await parseMetrics(`step,loss\r${'1,0.5\r'.repeat(20_000)}`, 'm.csv')).toHaveProperty('loss.value', 0.5);
  });

  it('say which direction is better where their name does not', async () => {
    expect(await parseMetrics('{"score:lower": 3, "loss:higher": 1, "mae": 2}', 'm.json')).toEqual({
      score: { value: 3, better: 'lower' },
      loss: { value: 1, better: 'higher' },
      mae: { value: 2, better: 'lower' },
    });
  });

  it.each([
    ['m.json', '{"a": {"loss": NaN}}', /'a\.loss' is NaN/],
    ['m.json', '{"loss": -Infinity}', /'loss' is -Infinity/],
    ['m.json', '{"loss": 1e999}', /'loss' is Infinity/],
    ['m.yaml', 'loss: .nan', /'loss' is NaN/],
    ['m.json', '{"loss": "NaN"}', /'loss' is NaN/],
    ['m.csv', 'epoch,loss\n1,0.5\n2,nan\n', /'loss' is nan/],
    ['m.csv', 'name,value\nloss,inf\n', /'loss' is inf/],
    ['m.csv', 'name,value\nloss,1\nloss,2\n', /two values are called 'loss'/],
    ['m.csv', '"a', /not a valid table/],
    ['m.json', '{"name": "x"}', /no number/],
    ['m.json', '', /no number/],
    ['m.csv', '', /no number/],
    ['m.txt', 'a=1', /does not end with/],
  ])('are refused with a reason: %s %s', async (file, text, message) => {
    await expect(parseMetrics(text, file)).rejects.toMatchObject({ code: 'METRICS_INVALID', data: { path: file } });
    await expect(parseMetrics(text, file)).rejects.toThrow(message);
  });

  it('are read or refused by code, whatever the text', async () => {
    const file = fc.constantFrom('m.yaml', 'm.json', 'm.csv', 'm.tsv');
    await fc.assert(
      fc.asyncProperty(file, fc.string({ unit: 'binary' }), async (name, text) => {
        const found = await parseMetrics(text, name).catch((error: { code: string }) => error.code);
        expect(typeof found === 'string' ? found : 'read').toMatch(/^(read|METRICS_INVALID)$/);
      }),
    );
  });

  it('come back as they were written to JSON', async () => {
    const figure = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), figure, { minKeys: 1 }), async (values) => {
        const metrics = await parseMetrics(JSON.stringify(values), 'm.json');
        expect(Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value]))).toEqual(values);
      }),
    );
  });

  it('of two files must not differ', () => {
    const sources = [
      { path: 'a', metrics: { auc: { value: 1 } } },
      { path: 'b', metrics: { auc: { value: 1 }, rows: { value: 2 } } },
    ];
    expect(mergeMetrics(sources)).toEqual({ auc: { value: 1 }, rows: { value: 2 } });
    expect(() => mergeMetrics([...sources, { path: 'c', metrics: { rows: { value: 3 } } }])).toThrow(
      /'rows'.*'b'.*'c'/,
    );
  });
});

describe('a metric on the command line', () => {
  it.each([
    ['auc=0.93', { auc: { value: 0.93 } }],
    ['rmse=3', { rmse: { value: 3, better: 'lower' } }],
    ['score:lower=-2.5e3', { score: { value: -2500, better: 'lower' } }],
    ['loss:higher=1', { loss: { value: 1, better: 'higher' } }],
  ])('%s', (text, metrics) => {
    expect(parseMetricAssignment(text)).toEqual(metrics);
  });

  it.each([
    ['auc', 'USAGE'],
    ['=1', 'USAGE'],
    ['auc=high', 'METRICS_INVALID'],
    ['auc=NaN', 'METRICS_INVALID'],
    ['auc=', 'METRICS_INVALID'],
    ['auc=1e999', 'METRICS_INVALID'],
    ['auc=0x10', 'METRICS_INVALID'],
  ])('refuses %s', (text, code) => {
    expect(() => parseMetricAssignment(text)).toThrow(expect.objectContaining({ code }));
  });
});

describe('the direction that a name tells', () => {
  it.each([
    'loss',
    'val.log_loss',
    'testRMSE_mae',
    'latency_p99',
    'p99_ms',
    'error_rate',
    'false_positive_rate',
    'trainLoss',
  ])('less is better: %s', (name) => {
    expect(betterByName(name)).toBe('lower');
  });

  it.each(['accuracy', 'auc', 'f1_macro', 'neg_mean_squared_error', 'lossless_ratio', 'r2', 's', 'throughput'])(
    'more is better: %s',
    (name) => {
      expect(betterByName(name)).toBe('higher');
    },
  );
});
