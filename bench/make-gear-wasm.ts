import { readFileSync, writeFileSync } from 'node:fs';
import wabt from 'wabt';

const SOURCE = new URL('../src/transfer/gear-scan.wat', import.meta.url);
const TARGET = new URL('../src/transfer/gear-wasm.ts', import.meta.url);

/** The WebAssembly of src/transfer/gear-scan.wat. */
export async function compileGearScan(): Promise<Uint8Array> {
  const tools = await wabt();
  const parsed = tools.parseWat('gear-scan.wat', readFileSync(SOURCE, 'utf8'), {
    bulk_memory: true,
    multi_value: true,
  });
  return parsed.toBinary({ write_debug_names: false }).buffer;
}

function asSource(bytes: Uint8Array): string {
  const rows =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,110}/g) ?? [];
  const lines = rows.map((row) => `  '${row}'`).join(' +\n');
  return `/** WebAssembly of gear-scan.wat, base64. Made by bench/make-gear-wasm.ts; a test compiles it anew and compares. */\nexport const GEAR_WASM =\n${lines};\n`;
}

if (process.argv[1] === import.meta.filename) {
  const bytes = await compileGearScan();
  writeFileSync(TARGET, asSource(bytes));
  process.stdout.write(`${bytes.length} bytes\n`);
}
