import { codesOf, column, rowsOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Scored, Tally } from '../../contracts/detector.ts'
import { pixelsOf } from '../../contracts/pixel-rows.ts'
import type { Context } from '../../contracts/statistic.ts'

/** A flagged copy with its pixels. */
export interface Copy {
  readonly group: string
  readonly id: string | null
  readonly row: number
  readonly label: string | null
  readonly source: string | null
  readonly data: Uint8Array
}

export interface Copies {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  /** By group, then by id and row. */
  readonly copies: readonly Copy[]
}

interface State {
  height: number
  width: number
  channels: number
  copies: Copy[]
}

const shownGroups = 24
const shownCopies = 12

const word = (a: string | null, b: string | null): number => ((a ?? '') < (b ?? '') ? -1 : (a ?? '') > (b ?? '') ? 1 : 0)
const order = (a: Copy, b: Copy): number =>
  word(a.group, b.group) ||
  word(a.id, b.id) ||
  a.row - b.row ||
  word(a.label, b.label) ||
  word(a.source, b.source) ||
  Buffer.compare(a.data, b.data)

/** The first copies of each group, of the first groups: bounded, and the same whatever came first. */
export const copyPictures: Tally<State, Copies> = {
  init: () => ({ height: 0, width: 0, channels: 1, copies: [] }),
  update(_: Context, state: State, batch: Batch, { group }: Scored) {
    const pixels = pixelsOf(batch)
    if (!pixels || !group) return
    Object.assign(state, { height: pixels.height, width: pixels.width, channels: pixels.channels })
    const size = pixels.height * pixels.width * pixels.channels
    const ids = column(batch, 'id')
    const label = codesOf(batch, 'label')
    const source = codesOf(batch, 'source')
    const rows = rowsOf(batch)
    for (let i = 0; i < batch.numRows; i++) {
      const name = group.values[group.codes[i] as number]
      if (name === undefined) continue
      state.copies.push({
        group: name,
        id: (ids?.get(i) as string | null | undefined) ?? null,
        row: rows[i] as number,
        label: label?.values[label.codes[i] as number] ?? null,
        source: source?.values[source.codes[i] as number] ?? null,
        data: pixels.data.slice(i * size, (i + 1) * size),
      })
    }
    keepFirst(state)
  },
  merge(into: State, from: State) {
    if (from.copies.length === 0) return
    Object.assign(into, { height: from.height, width: from.width, channels: from.channels })
    into.copies.push(...from.copies)
    keepFirst(into)
  },
  finish: (_: Context, state: State) => state as Copies,
}

function keepFirst(state: State): void {
  const groups = new Map<string, number>()
  state.copies = state.copies.sort(order).filter(({ group }) => {
    const seen = groups.get(group) ?? 0
    if (seen === 0 && groups.size === shownGroups) return false
    groups.set(group, seen + 1)
    return seen < shownCopies
  })
}
