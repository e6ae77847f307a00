/** One measured figure. */
export interface Metric {
  value: number;
  /** Name or path of the data set on which it was measured, and its oid where it is tracked. */
  on?: string;
  on_oid?: string;
  /** Which direction is better; `higher` unless said or known by its name (loss, error, rmse, mae, latency…). */
  better?: 'higher' | 'lower';
}

/** Which direction of a metric is better. */
export type Better = 'higher' | 'lower';

/** Words in the name of a metric of which less is better. */
const LOWER = new Set(
  (
    'loss error errors err rmse mae mse mape smape msle rmsle logloss nll perplexity ppl latency duration time seconds ' +
    'millis wer cer fid kl divergence brier ece regret fpr fnr fdr eer bpc bpb entropy crossentropy hinge deviance cost ' +
    'distance drift memory misclassification bias inertia'
  ).split(' '),
);
/** scikit-learn turns such figures round, so that more is better: `neg_mean_squared_error`. */
const TURNED = new Set(['neg', 'negative']);
/** A number with its unit of time: `p99_ms`. */
const UNITS_OF_TIME = new Set(['ms', 'us', 'ns', 'secs', 'sec', 's']);

/**
 * Which direction of a metric is better, by its name alone: the words of the whole name decide, so that both
 * `val.log_loss` and `loss.val` are better when lower. See docs/params-and-metrics.md for the list.
 */
export function betterByName(name: string): Better {
  const words = wordsOf(name);
  const last = words.at(-1) ?? '';
  const isFalseRate = words.includes('false') && (words.includes('positive') || words.includes('negative'));
  if (isFalseRate) return 'lower';
  const less = words.some((word) => LOWER.has(word)) || (words.length > 1 && UNITS_OF_TIME.has(last));
  return less && !words.some((word) => TURNED.has(word)) ? 'lower' : 'higher';
}

/** Which direction of a metric is better: as it says itself, otherwise by its name. */
export function betterOf(name: string, metric: Pick<Metric, 'better'>): Better {
  return metric.better ?? betterByName(name);
}

/** `valLogLoss` and `val.log-loss` as `val`, `log`, `loss`. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
}
