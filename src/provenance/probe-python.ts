import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './environment.js';
import { absence } from './probe-gpu.js';
import { askTool, type ToolOptions } from './probe-tool.js';

/**
 * Prints the version and the installed packages: whatever pip, uv, poetry or conda installed has the same metadata. The
 * current directory is taken off the path first, so that no file of the project is run in place of the library's.
 */
const SCRIPT = `
import sys
sys.path = [p for p in sys.path if p not in ("", ".")]
import json
try:
    from importlib import metadata
    found = sorted({(d.metadata["Name"] or "", d.version or "") for d in metadata.distributions()})
except Exception:
    found = None
print(json.dumps({"version": sys.version.split()[0], "implementation": sys.implementation.name, "packages": found}))
`;

/** Where Python is looked for. */
export interface PythonOptions extends ToolOptions {
  /** Directory of a virtual environment that is asked before the PATH is; see probeEnvironment. */
  virtualEnvironment?: string;
}

/** Version of Python and its packages, in one process; conda's other packages from its own list. */
export async function probePython(options: PythonOptions): Promise<Environment> {
  let answer: Awaited<ReturnType<typeof askTool>> = { absent: '' };
  for (const program of interpreters(options)) {
    answer = await askTool(program, ['-c', SCRIPT], options);
    if ('text' in answer) return { ...readPython(answer.text), ...probeConda(options.env.CONDA_PREFIX) };
    if (answer.absent !== '') break;
  }
  return { absent: [absence('python', answer)] };
}

function interpreters({ env, virtualEnvironment }: PythonOptions): string[] {
  const folder = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
  const inside = [env.VIRTUAL_ENV, virtualEnvironment, env.CONDA_PREFIX]
    .filter((directory) => directory !== undefined && directory !== '')
    .map((directory) => join(directory as string, ...folder))
    .filter((program) => existsSync(program));
  return [...inside, 'python3', 'python'];
}

/**
 * Reads what the script printed: version (with the implementation, where that is not CPython) and `name==version` of each
 * package. What is no such JSON makes both `absent`. Pure.
 */
export function readPython(text: string): Environment {
  try {
    const { version, implementation, packages } = JSON.parse(text) as {
      version: string;
      implementation: string;
      packages: [string, string][] | null;
    };
    const python = implementation === 'cpython' ? version : `${version} (${implementation})`;
    if (!packages) return { python, absent: ['packages'] };
    const named = packages.filter(([name]) => name !== '').map(([name, number]) => `${name}==${number}`);
    return { python, packages: [...new Set(named)].sort() };
  } catch {
    return { absent: ['python (it did not answer as expected)'] };
  }
}

/** Conda keeps one file a package, named `name-version-build.json`. */
function probeConda(prefix: string | undefined): Environment {
  if (!prefix) return {};
  try {
    const named = readdirSync(join(prefix, 'conda-meta')).flatMap((file) => {
      const match = /^(.+)-([^-]+)-([^-]+)\.json$/.exec(file);
      return match ? [`${match[1]}=${match[2]}=${match[3]}`] : [];
    });
    return { conda: named.sort() };
  } catch {
    return { absent: ['conda'] };
  }
}
