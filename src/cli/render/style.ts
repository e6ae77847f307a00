/** Emphasis for text on a terminal. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

const same = (text: string): string => text;

/** No emphasis at all. */
export const plainStyle: Style = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same };

/** Whether to colour what goes to a stream: only on a terminal, and never against NO_COLOR, TERM=dumb or the option. */
export function wantsColour(options: { isTTY: boolean; env: NodeJS.ProcessEnv; color: boolean }): boolean {
  if (!options.color || options.env.NO_COLOR || options.env.TERM === 'dumb') return false;
  if (options.env.FORCE_COLOR !== undefined)
    return options.env.FORCE_COLOR !== '0' && options.env.FORCE_COLOR !== 'false';
  return options.isTTY;
}

/** The style with colours; imports chalk, which a run without colours does without. */
export async function colourStyle(): Promise<Style> {
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return {
    bold: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    red: (text) => chalk.red(text),
    green: (text) => chalk.green(text),
    yellow: (text) => chalk.yellow(text),
    cyan: (text) => chalk.cyan(text),
  };
}
