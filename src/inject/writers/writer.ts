import type { ColumnMap, Role, ShardSpec } from '../../contracts/data.ts'
import { namesOf, rolesOf } from '../../sources/assemble.ts'
import type { RowChange } from '../changes.ts'
import { InjectError } from '../errors.ts'

/** One input, file or folder of images, with what changes in it. */
export interface CopyJob {
  /** The shards of the input, in their order. */
  readonly shards: readonly ShardSpec[]
  readonly path: string
  /** How the output of a path of the input is called; its folder exists. */
  readonly out: (path: string) => string
  /** Table with the labels of a folder of images. */
  readonly labels: string | null
  readonly changes: (shard: ShardSpec) => AsyncIterable<RowChange>
}

/** Records that are called otherwise in the copy, by their row in the input. */
export type Moved = ReadonlyMap<number, { readonly id: string; readonly row: number }>

export type CopyWriter = (job: CopyJob) => Promise<Moved | null>

export const columnsOf = (shard: ShardSpec): ColumnMap => rolesOf(shard.options).columns

/** The one column behind a role. */
export function columnOf(shard: ShardSpec, role: Role): string {
  const [name] = namesOf(columnsOf(shard), role)
  if (name === undefined) throw new InjectError('missing-field', `${shard.id}: no column has the role ${role}`)
  return name
}

/** Labels as they stand in the file: numbers where the source names classes. */
export function storedLabel(shard: ShardSpec, label: string): string {
  const { classes } = rolesOf(shard.options)
  const at = classes?.indexOf(label) ?? -1
  return at < 0 ? label : String(at)
}

/** Column and item of each feature that changes: `vector[3]` is item 3 of a list. */
export function featurePlaces(
  shard: ShardSpec,
  numbers: NonNullable<RowChange['numbers']>,
): { column: string; item: number | null; value: number }[] {
  const names = namesOf(columnsOf(shard), 'features')
  return numbers.map(([at, value]) => ({
    column: (names.length === 1 ? names[0] : names[at]) as string,
    item: names.length === 1 ? at : null,
    value,
  }))
}

/** Column of each category that changes. */
export function categoryPlaces(shard: ShardSpec, { categories = [] }: RowChange): { column: string; value: string }[] {
  const names = namesOf(columnsOf(shard), 'categories')
  return categories.map(([at, value]) => ({ column: names[at] as string, value }))
}

/** The changes of all shards of a file, asked for by row, which must not go back. */
export class ChangeCursor {
  private readonly iterator: AsyncIterator<RowChange>
  private waiting: RowChange | null = null
  private done = false

  constructor(job: CopyJob) {
    this.iterator = all(job)[Symbol.asyncIterator]()
  }

  async at(row: number): Promise<RowChange | null> {
    if (!this.waiting && !this.done) {
      const next = await this.iterator.next()
      if (next.done) this.done = true
      else this.waiting = next.value
    }
    if (this.waiting?.row !== row) return null
    const change = this.waiting
    this.waiting = null
    return change
  }

  /** Throws where a change was never asked for. */
  async end(path: string): Promise<void> {
    if (this.waiting || !(await this.iterator.next()).done)
      throw new InjectError('changed-input', `${path}: ends before the last record that was to change`, undefined, { file: path }, 2)
  }
}

async function* all({ shards, changes }: CopyJob): AsyncGenerator<RowChange> {
  for (const shard of shards) yield* changes(shard)
}
