import type { Overlay } from '../../interop/rewrite-commits.js';
import type { State } from '../../interop/rewrite-state.js';
import type { Kept, MigratedPointer, Migration } from './migration.js';

/** What the states of a whole history come to, each pointer and each thing that was kept once. */
export class Conversions {
  private readonly byClaim = new Map<string, MigratedPointer>();
  private readonly byReason = new Map<string, Kept & { commit: string }>();

  constructor(private readonly migration: Pick<Migration, 'convert'>) {}

  /** Converts one state; `commit` (hex) is the first one that has it. Errors: those of the migration. */
  convert(state: State, commit: string): Overlay {
    const { pointers, kept, overlay } = this.migration.convert(state);
    for (const each of pointers) this.byClaim.set(claimKey(each), each);
    for (const each of kept) {
      const key = `${each.file}\0${each.error.message}`;
      if (!this.byReason.has(key)) this.byReason.set(key, { ...each, commit });
    }
    return overlay;
  }

  get pointers(): MigratedPointer[] {
    return [...this.byClaim.values()];
  }

  /** What stays as it is, with the first commit that has it. */
  get kept(): (Kept & { commit: string })[] {
    return [...this.byReason.values()];
  }
}

function claimKey({ path, pointer, files }: MigratedPointer): string {
  return `${path}\0${pointer.oid}\0${files.length === 1 ? files[0]?.id.hex : files.length}`;
}
