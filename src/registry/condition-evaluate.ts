import { comparison, type Outcome, type Value } from './condition-compare.js';
import {
  type Condition,
  type ConditionName,
  type FactValue,
  type LogicExpression,
  namesIn,
  type ValueExpression,
} from './condition-syntax.js';

/** What conditions ask of one version; see factsOfVersion. */
export interface Facts {
  /** The value of a name (`['metrics', 'auc']`, or bare `['auc']`), or undefined where there is none. */
  lookup(path: readonly string[]): FactValue | undefined;
  /** The facts of the version that stands on a stage; undefined where none does. Absent where there are no stages. */
  onStage?(stage: string): Facts | undefined;
  /** True where a comparison with a stage on which nothing stands holds, as in gates; otherwise it does not. */
  emptyStageHolds?: boolean;
}

/** One figure that a condition looked at. */
export interface Figure {
  /** As the condition names it: `auc`, or `auc@production`. */
  name: string;
  /** Undefined where it is missing. */
  value: FactValue | undefined;
}

/** How a condition came out. */
export interface Verdict {
  holds: boolean;
  /** The figures for people: `auc is 0.91, auc on production is 0.915`. */
  found: string;
  figures: readonly Figure[];
  /** Names that are missing, each once, such as `auc` or `auc@production`. */
  missing: readonly string[];
  /** Why a comparison could not be made, each once, for people: `there is no auc`. */
  problems: readonly string[];
  /** Those problems that are not for want of a name: `auc is 0.91, which is neither true nor false`. */
  unfit: readonly string[];
}

/**
 * Whether a condition holds for a version. A comparison that cannot be made (a name is missing, text is compared with a
 * number, something is divided by zero) is unknown, which `not` does not turn into true; a condition that is unknown as a
 * whole does not hold. Never raises an error.
 */
export function evaluate(condition: Condition, facts: Facts): Verdict {
  const run = new Evaluation(facts);
  const outcome = run.logic(condition.expression);
  const figures = [...run.figures].map(([name, value]) => ({ name, value }));
  return {
    holds: outcome === true,
    found: figures.map(describeFigure).join(', '),
    figures,
    missing: figures.filter(({ value }) => value === undefined).map(({ name }) => name),
    problems: [...run.problems],
    unfit: [...run.unfit],
  };
}

class Evaluation {
  readonly figures = new Map<string, FactValue | undefined>();
  readonly problems = new Set<string>();
  readonly unfit = new Set<string>();

  constructor(private readonly facts: Facts) {}

  logic(expression: LogicExpression): Outcome {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'name':
        return this.truth(expression);
      case 'not': {
        const operand = this.logic(expression.operand);
        return operand === undefined ? undefined : !operand;
      }
      case 'present':
        return this.isPresent(expression.name);
      case 'compare':
        return this.compare(expression);
      default:
        return joined(expression.kind, this.logic(expression.left), this.logic(expression.right));
    }
  }

  private truth(name: ConditionName): Outcome {
    const value = this.value(name);
    if (typeof value === 'boolean' || value === undefined) return value;
    return this.problem(`${name.text} is ${showValue(value)}, which is neither true nor false`);
  }

  private isPresent(name: ConditionName): boolean {
    const value = this.factsFor(name)?.lookup(name.path);
    this.figures.set(labelOf(name), value);
    return value !== undefined;
  }

  private compare({ operator, left, right }: Extract<LogicExpression, { kind: 'compare' }>): Outcome {
    const [one, other] = [this.value(left), this.value(right)];
    if (one === undefined || other === undefined) return this.withEmptyStage([...namesIn(left), ...namesIn(right)]);
    const { outcome, problem } = comparison(operator, one, other);
    return problem === undefined ? outcome : this.problem(problem(textOf(left), textOf(right)));
  }

  /** Where nothing else is missing than what would stand on a stage, the first version there has nothing to beat. */
  private withEmptyStage(names: readonly ConditionName[]): Outcome {
    const absent = names.filter((name) => this.factsFor(name)?.lookup(name.path) === undefined);
    const holds = this.facts.emptyStageHolds && absent.length > 0 && absent.every((name) => !this.factsFor(name));
    return holds ? true : undefined;
  }

  private value(expression: ValueExpression): Value | undefined {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'name':
        return this.named(expression);
      case 'list': {
        const items = expression.items.map((item) => this.value(item));
        return items.some((item) => item === undefined) ? undefined : (items as Value[]);
      }
      case 'negate': {
        const operand = this.number(expression.operand);
        return operand === undefined ? undefined : -operand;
      }
      default:
        return this.arithmetic(expression);
    }
  }

  private named(name: ConditionName): FactValue | undefined {
    const facts = this.factsFor(name);
    const value = facts?.lookup(name.path);
    this.figures.set(labelOf(name), value);
    if (value !== undefined) return value;
    if (!facts) return this.absent(`nothing stands on ${name.stage}`);
    return this.absent(name.stage === undefined ? `there is no ${name.text}` : `${name.stage} has no ${name.text}`);
  }

  private factsFor({ stage }: ConditionName): Facts | undefined {
    return stage === undefined ? this.facts : this.facts.onStage?.(stage);
  }

  private number(expression: ValueExpression): number | undefined {
    const value = this.value(expression);
    if (typeof value === 'number' || value === undefined) return value;
    return this.problem(`${textOf(expression)} is ${showValue(value)}, no number to reckon with`);
  }

  private arithmetic({ operator, left, right }: Extract<ValueExpression, { kind: 'arithmetic' }>): number | undefined {
    const [one, other] = [this.number(left), this.number(right)];
    if (one === undefined || other === undefined) return undefined;
    const result = RECKON[operator](one, other);
    if (Number.isFinite(result)) return result;
    return this.problem(other === 0 ? 'something is divided by zero' : 'a number becomes too large');
  }

  private problem(text: string): undefined {
    this.unfit.add(text);
    return this.absent(text);
  }

  private absent(text: string): undefined {
    this.problems.add(text);
    return undefined;
  }
}

const RECKON = {
  '+': (left: number, right: number) => left + right,
  '-': (left: number, right: number) => left - right,
  '*': (left: number, right: number) => left * right,
  '/': (left: number, right: number) => left / right,
} as const;

function joined(kind: 'and' | 'or', left: Outcome, right: Outcome): Outcome {
  const deciding = kind === 'or';
  if (left === deciding || right === deciding) return deciding;
  return left === undefined || right === undefined ? undefined : !deciding;
}

function labelOf({ text, stage }: ConditionName): string {
  return stage === undefined ? text : `${text}@${stage}`;
}

function textOf(expression: ValueExpression): string {
  if (expression.kind === 'name') return labelOf(expression);
  return expression.kind === 'literal' ? showValue(expression.value) : 'it';
}

function describeFigure({ name, value }: Figure): string {
  const label = name.replace(/@(?=[A-Za-z_])/, ' on ');
  return value === undefined ? `${label} is missing` : `${label} is ${showValue(value)}`;
}

/** A value for people: text in quotes, lists in brackets, long ones cut. */
function showValue(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 79)}…` : value);
  if (typeof value !== 'object' || value === null) return String(value);
  if ('start' in value) return value.text;
  const shown = value.slice(0, 5).map(showValue).join(', ');
  return `[${shown}${value.length > 5 ? `, … ${value.length - 5} more` : ''}]`;
}
