/** A day or a moment that a condition names: `2026-03-01` is the whole day in UTC. Milliseconds; `end` is outside. */
export interface ConditionDate {
  text: string;
  start: number;
  end: number;
}

/** What a name may stand for. */
export type FactValue = number | string | boolean | null | readonly FactValue[];

/** What a literal may be. */
export type ConditionLiteral = number | string | boolean | null | ConditionDate;

/** A name in a condition, such as `metrics.auc`, or `auc` as the version on a stage has it. */
export interface ConditionName {
  kind: 'name';
  /** `['metrics', 'auc']`; never empty. */
  path: readonly string[];
  /** As people read it: `metrics.auc`. */
  text: string;
  /** Of the version that stands there, instead of the one that is asked about. */
  stage?: string;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/';
export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in' | 'has';

/** What gives a value. */
export type ValueExpression =
  | { kind: 'literal'; value: ConditionLiteral }
  | { kind: 'list'; items: readonly ValueExpression[] }
  | ConditionName
  | { kind: 'negate'; operand: ValueExpression }
  | { kind: 'arithmetic'; operator: ArithmeticOperator; left: ValueExpression; right: ValueExpression };

/** What is true or false. A name or literal must be a boolean by itself. */
export type LogicExpression =
  | { kind: 'and' | 'or'; left: LogicExpression; right: LogicExpression }
  | { kind: 'not'; operand: LogicExpression }
  | { kind: 'compare'; operator: ComparisonOperator; left: ValueExpression; right: ValueExpression }
  | { kind: 'present'; name: ConditionName }
  | ConditionName
  | { kind: 'literal'; value: boolean };

/** A condition that was understood; see parseCondition. */
export interface Condition {
  /** As it was written. */
  text: string;
  expression: LogicExpression;
}

/** True for a date literal. */
export function isConditionDate(value: unknown): value is ConditionDate {
  return typeof value === 'object' && value !== null && 'start' in value && 'end' in value;
}

const DAY = 24 * 60 * 60 * 1000;
const DATE = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * Reads `2026-03-01` (the whole day) or `2026-03-01T10:00:00Z` (one moment); UTC where no offset is given. Undefined for
 * text that is no date of the calendar.
 */
export function readConditionDate(text: string): ConditionDate | undefined {
  const [, day] = DATE.exec(text) ?? [];
  if (day === undefined) return undefined;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // Some engines take the 30th of February for the 1st of March.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return undefined;
  if (text === day) return { text, start: midnight, end: midnight + DAY };
  const moment = Date.parse(/(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(moment) ? undefined : { text, start: moment, end: moment + 1 };
}

/** The names in an expression, in their order; bare stages, which have no name yet, are left out. */
export function* namesIn(expression: ValueExpression): Generator<ConditionName> {
  if (expression.kind === 'name' && expression.path.length > 0) yield expression;
  else if (expression.kind === 'list') for (const item of expression.items) yield* namesIn(item);
  else if (expression.kind === 'negate') yield* namesIn(expression.operand);
  else if (expression.kind === 'arithmetic') {
    yield* namesIn(expression.left);
    yield* namesIn(expression.right);
  }
}
