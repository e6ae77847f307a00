/** One measured figure. */
export interface Metric {
  value: number;
  /** Name or path of the data set on which it was measured, and its oid where it is tracked. */
  on?: string;
  on_oid?: string;
  /** Which direction is better; `higher` unless said or known by its name (loss, error, rmse, mae, latency…). */
  better?: 'higher' | 'lower';
}
