import { rowsOf } from '../contracts/batch.ts'
import type { ShardSpec } from '../contracts/data.ts'
import { keyed } from '../math/rng.ts'
import { readShard } from '../sources/read.ts'
import type { Attack, Fields, Where } from './attack.ts'
import { InjectError } from './errors.ts'
import { fieldReader } from './fields.ts'
import { encodeLike } from './pictures.ts'
import { shardName } from './survey.ts'

/** New values of one row, ready to be written: whatever is absent stays as it is. */
export interface RowChange {
  readonly row: number
  readonly label?: string
  readonly text?: string
  readonly response?: string
  /** The encoded file, or raw pixels where the data hold those. */
  readonly image?: Uint8Array
  /** Position among the features, and value. */
  readonly numbers?: readonly (readonly [number, number])[]
  /** Position among the columns of categories, and value. */
  readonly categories?: readonly (readonly [number, string])[]
}

/** What is written to `truth.csv`; id and row may still change where a format orders its records by name. */
export interface TruthRow {
  readonly id: string | null
  readonly shard: string
  readonly row: number
  readonly changed: 'label' | 'content' | 'both'
  readonly givenLabel: string | null
  readonly originalLabel: string | null
  readonly from: Where | null
}

export interface ChosenShard {
  readonly spec: ShardSpec
  /** Ascending. */
  readonly rows: Uint32Array
}

function numbersChanged(before: Float64Array | null, after: Float64Array): readonly (readonly [number, number])[] {
  const out: (readonly [number, number])[] = []
  after.forEach((value, j) => {
    if (!Object.is(value, before?.[j])) out.push([j, value])
  })
  return out
}

const categoriesChanged = (before: readonly string[] | null, after: readonly string[]): readonly (readonly [number, string])[] =>
  after.flatMap((value, j) => (value === before?.[j] ? [] : [[j, value] as const]))

async function toRow(row: number, fields: Partial<Fields>, record: Fields, encoded: Uint8Array | null): Promise<RowChange> {
  const { label, text, response, pixels, numbers, categories } = fields
  return {
    row,
    ...(typeof label === 'string' && label !== record.label ? { label } : {}),
    ...(typeof text === 'string' ? { text } : {}),
    ...(typeof response === 'string' ? { response } : {}),
    ...(pixels ? { image: encoded ? await encodeLike(encoded, pixels) : (pixels.data as Uint8Array) } : {}),
    ...(numbers ? { numbers: numbersChanged(record.numbers, numbers) } : {}),
    ...(categories ? { categories: categoriesChanged(record.categories, categories) } : {}),
  }
}

export interface Applying {
  readonly attack: Attack
  readonly plan: unknown
  readonly pixels: boolean
  readonly seed: Uint8Array
  readonly truth: (row: TruthRow) => void
}

/** Reads a shard again and yields what becomes of the chosen rows, in their order. */
export async function* changesOf({ spec, rows }: ChosenShard, { attack, plan, pixels, seed, truth }: Applying): AsyncGenerator<RowChange> {
  if (rows.length === 0) return
  const shard = shardName(spec)
  let next = 0
  for await (const batch of readShard(spec, () => {})) {
    const reader = fieldReader(batch)
    const present = rowsOf(batch)
    for (let i = 0; i < present.length && next < rows.length; i++) {
      if (present[i] !== rows[next]) continue
      const row = rows[next++] as number
      const record = await reader.fields(i, pixels)
      const { fields, from } = attack.apply(plan, record, keyed(seed, `inject/record ${shard} ${row}`))
      const change = await toRow(row, fields, record, pixels ? reader.encoded(i) : null)
      const relabelled = change.label !== undefined
      const content =
        change.text !== undefined ||
        change.response !== undefined ||
        change.image !== undefined ||
        change.numbers !== undefined ||
        change.categories !== undefined
      truth({
        id: reader.id(i),
        shard,
        row,
        changed: relabelled ? (content ? 'both' : 'label') : 'content',
        givenLabel: change.label ?? record.label,
        originalLabel: record.label,
        from: from ?? null,
      })
      yield change
    }
    if (next === rows.length) return
  }
  throw new InjectError(
    'changed-input',
    `${shard}: row ${rows[next]} was there at the first reading and is not at the second`,
    undefined,
    {},
    2,
  )
}
