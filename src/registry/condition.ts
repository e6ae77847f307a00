import { ConditionReader } from './condition-reader.js';
import {
  type ArithmeticOperator,
  type ComparisonOperator,
  type Condition,
  type ConditionName,
  type LogicExpression,
  namesIn,
  type ValueExpression,
} from './condition-syntax.js';
import type { Token } from './condition-tokens.js';

/**
 * Reads a condition such as `metrics.auc > 0.9 and stage == "staging"`; docs/conditions.md tells the language. Pure, and
 * no code is ever run. Error: `EXPRESSION_INVALID` with the column in the message and in `data.column`.
 */
export function parseCondition(text: string): Condition {
  return { text, expression: new ConditionParser(text).parse() };
}

type Expression = LogicExpression | ValueExpression;

/** `@production`, until it is known beside which name it is compared. */
interface BareStage {
  name: { -readonly [key in keyof ConditionName]: ConditionName[key] };
  token: Token;
}

class ConditionParser {
  private readonly tokens: ConditionReader;
  private bareStages: BareStage[] = [];

  constructor(text: string) {
    this.tokens = new ConditionReader(text);
  }

  parse(): LogicExpression {
    if (this.tokens.atEnd) throw this.tokens.fail(this.tokens.next, 'it is empty');
    const expression = this.asLogic(this.tokens.next, this.disjunction());
    if (this.tokens.atEnd) return expression;
    if (this.peekComparison())
      throw this.tokens.fail(this.tokens.next, 'comparisons do not follow one another', 'join them with and');
    throw this.tokens.expected('and, or, or the end');
  }

  private disjunction(): Expression {
    return this.joined('or', () => this.joined('and', () => this.negation()));
  }

  private joined(kind: 'and' | 'or', operand: () => Expression): Expression {
    let begin = this.tokens.next;
    let left = operand();
    while (this.tokens.takeIf('keyword', kind)) {
      const first = this.asLogic(begin, left);
      begin = this.tokens.next;
      left = { kind, left: first, right: this.asLogic(begin, operand()) };
    }
    return left;
  }

  private negation(): Expression {
    if (!this.tokens.takeIf('keyword', 'not')) return this.comparison();
    const begin = this.tokens.next;
    return {
      kind: 'not',
      operand: this.asLogic(
        begin,
        this.tokens.nested(() => this.negation()),
      ),
    };
  }

  private comparison(): Expression {
    if (this.tokens.takeIf('keyword', 'has')) return { kind: 'present', name: this.nameOnly() };
    const begin = this.tokens.next;
    const left = this.sum();
    const operator = this.takeComparison();
    if (operator === undefined) return left;
    const leftValue = this.asValue(begin, left);
    const middle = this.tokens.next;
    const right = this.asValue(middle, this.sum());
    if (operator.endsWith('in') && right.kind !== 'list' && right.kind !== 'name') {
      throw this.tokens.fail(middle, 'in asks for a list', 'such as: stage in ["staging", "production"]');
    }
    const compared = { kind: 'compare', operator, left: leftValue, right } as const;
    this.giveNames(compared);
    return compared;
  }

  private nameOnly(): ConditionName {
    const token = this.tokens.next;
    const operand = this.primary();
    if (operand.kind === 'name' && operand.path.length > 0) return operand;
    throw this.tokens.fail(token, 'has asks for a name', 'such as: has metrics.auc');
  }

  private peekComparison(): ComparisonOperator | undefined {
    const { kind, text } = this.tokens.next;
    if (kind === 'symbol' && /^([<>]=?|[=!]=)$/.test(text)) return text as ComparisonOperator;
    if (kind === 'keyword' && (text === 'has' || text === 'contains')) return 'has';
    if (kind === 'keyword' && text === 'in') return 'in';
    const notIn = kind === 'keyword' && text === 'not' && this.tokens.follows('keyword', 'in');
    return notIn ? 'not in' : undefined;
  }

  private takeComparison(): ComparisonOperator | undefined {
    const operator = this.peekComparison();
    if (operator !== undefined) this.tokens.take();
    if (operator === 'not in') this.tokens.take();
    return operator;
  }

  private sum(): Expression {
    return this.arithmetic(['+', '-'], () => this.arithmetic(['*', '/'], () => this.signed()));
  }

  private arithmetic(operators: readonly ArithmeticOperator[], operand: () => Expression): Expression {
    const begin = this.tokens.next;
    let left = operand();
    for (
      let token = this.tokens.takeIf('symbol', ...operators);
      token;
      token = this.tokens.takeIf('symbol', ...operators)
    ) {
      const operator = token.text as ArithmeticOperator;
      const middle = this.tokens.next;
      const right = this.asValue(middle, operand());
      left = { kind: 'arithmetic', operator, left: this.asValue(begin, left), right };
    }
    return left;
  }

  private signed(): Expression {
    if (!this.tokens.takeIf('symbol', '-')) return this.primary();
    const begin = this.tokens.next;
    return {
      kind: 'negate',
      operand: this.asValue(
        begin,
        this.tokens.nested(() => this.signed()),
      ),
    };
  }

  private primary(): Expression {
    const literal = this.literal();
    if (literal) return literal;
    const token = this.tokens.next;
    if (token.kind === 'name') return this.name(this.tokens.take());
    if (token.kind === 'stage') return this.bareStage(this.tokens.take());
    if (this.tokens.takeIf('symbol', '(')) return this.tokens.nested(() => this.parenthesised());
    if (this.tokens.takeIf('symbol', '[')) return this.tokens.nested(() => this.list());
    throw this.tokens.expected('a name or a value');
  }

  private literal(): Expression | undefined {
    const token = this.tokens.next;
    if (token.kind === 'number' || token.kind === 'string' || token.kind === 'date') {
      this.tokens.take();
      return { kind: 'literal', value: token.value };
    }
    const word = this.tokens.takeIf('keyword', 'true', 'false', 'null');
    if (!word) return undefined;
    return { kind: 'literal', value: word.text === 'null' ? null : word.text === 'true' };
  }

  private parenthesised(): Expression {
    const inner = this.disjunction();
    if (!this.tokens.takeIf('symbol', ')')) throw this.tokens.expected(')');
    return inner;
  }

  private list(): Expression {
    const items: ValueExpression[] = [];
    while (!this.tokens.takeIf('symbol', ']')) {
      if (items.length > 0 && !this.tokens.takeIf('symbol', ',')) throw this.tokens.expected(', or ]');
      const begin = this.tokens.next;
      items.push(this.asValue(begin, this.sum()));
    }
    return { kind: 'list', items };
  }

  private name(first: Token): ConditionName {
    const path = [first.text];
    let text = first.text;
    for (let part = this.namePart(); part !== undefined; part = this.namePart()) {
      path.push(part.name);
      text += part.text;
    }
    const stage = this.tokens.next.kind === 'stage' ? this.tokens.take().text.slice(1) : undefined;
    return { kind: 'name', path, text, ...(stage === undefined ? {} : { stage }) };
  }

  private namePart(): { name: string; text: string } | undefined {
    if (this.tokens.takeIf('symbol', '.')) {
      const part = this.tokens.take();
      // A part may be called as a word of the language: `params.in`.
      if (part.kind !== 'name' && part.kind !== 'keyword') throw this.tokens.fail(part, 'a name must follow the dot');
      return { name: part.text, text: `.${part.text}` };
    }
    if (!this.tokens.takeIf('symbol', '[')) return undefined;
    const part = this.tokens.take();
    const hint = 'such as: metrics["val/auc"]';
    if (part.kind !== 'string') throw this.tokens.fail(part, 'a name in quotes must follow the bracket', hint);
    if (!this.tokens.takeIf('symbol', ']')) throw this.tokens.expected(']');
    return { name: part.value, text: `[${part.text}]` };
  }

  private bareStage(token: Token): ConditionName {
    const name: BareStage['name'] = { kind: 'name', path: [], text: '', stage: token.text.slice(1) };
    this.bareStages.push({ name, token });
    return name;
  }

  /** `auc >= @production - 0.01`: the stage is asked for what the comparison is about. */
  private giveNames(compared: { left: ValueExpression; right: ValueExpression }): void {
    const [first] = this.bareStages;
    if (!first) return;
    const names = new Map([...namesIn(compared.left), ...namesIn(compared.right)].map((name) => [name.text, name]));
    const [name] = names.values();
    if (!name || names.size > 1) throw this.unclear(first);
    for (const { name: bare } of this.bareStages) {
      bare.path = name.path;
      bare.text = name.text;
    }
    this.bareStages = [];
  }

  private unclear({ token }: BareStage): Error {
    const hint = `write it out: auc${token.text}`;
    return this.tokens.fail(
      token,
      `${token.text} stands for one name that it is compared with, and here is not exactly one`,
      hint,
    );
  }

  private asLogic(begin: Token, expression: Expression): LogicExpression {
    const [bare] = this.bareStages;
    if (bare) throw this.unclear(bare);
    if (isLogic(expression)) return expression;
    throw this.tokens.fail(begin, 'this is neither true nor false', 'compare it with something, such as: auc > 0.9');
  }

  private asValue(begin: Token, expression: Expression): ValueExpression {
    if (expression.kind === 'name' || expression.kind === 'literal') return expression;
    if (isLogic(expression)) throw this.tokens.fail(begin, 'a value is expected, and this is true or false');
    return expression;
  }
}

function isLogic(expression: Expression): expression is LogicExpression {
  if (expression.kind === 'literal') return typeof expression.value === 'boolean';
  return !['list', 'negate', 'arithmetic'].includes(expression.kind);
}
