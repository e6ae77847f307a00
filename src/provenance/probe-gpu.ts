import type { Environment } from './environment.js';
import { askTool, type ToolAnswer, type ToolOptions } from './probe-tool.js';

/** Graphics processors, driver and CUDA as `nvidia-smi` tells them, or `rocm-smi` where only that is there. */
export async function probeGpus(options: ToolOptions): Promise<Environment> {
  const [query, header] = await Promise.all([
    askTool('nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader'], options),
    askTool('nvidia-smi', [], options),
  ]);
  if ('text' in query) return readNvidia(query.text, 'text' in header ? header.text : '');
  const rocm = await askTool('rocm-smi', ['--showproductname', '--showdriverversion', '--json'], options);
  if ('text' in rocm) return readRocm(rocm.text);
  return { absent: [absence('gpus', query)] };
}

/** Reads what `nvidia-smi` prints: a query for `name,driver_version` as CSV, and its plain page for the CUDA version. */
export function readNvidia(query: string, header: string): Environment {
  const rows = query
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter(([name]) => name);
  const driver = rows[0]?.[1];
  const cuda = /CUDA Version:\s*([\d.]+)/.exec(header)?.[1];
  return {
    gpus: rows.map(([name]) => name as string),
    ...(driver ? { driver } : {}),
    ...(cuda === undefined ? { absent: ['cuda'] } : { cuda }),
  };
}

function readRocm(text: string): Environment {
  try {
    const cards = JSON.parse(text) as Record<string, Record<string, string>>;
    const names = Object.entries(cards).filter(([name]) => name.startsWith('card'));
    const driver = cards.system?.['Driver version'];
    return {
      gpus: names.map(([, card]) => card['Card Series'] ?? card['Card series'] ?? 'AMD'),
      ...(driver ? { driver } : {}),
      absent: ['cuda'],
    };
  } catch {
    return { absent: ['gpus (rocm-smi did not answer as expected)'] };
  }
}

/** How a part that is not there is named among the absent ones. */
export function absence(part: string, answer: ToolAnswer): string {
  return 'absent' in answer && answer.absent !== '' ? `${part} (${answer.absent})` : part;
}
