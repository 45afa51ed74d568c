import { codesOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Scored } from '../../contracts/detector.ts'
import { inCell } from '../../statistics/column-triggers/cell.ts'
import { columnsOf } from '../../statistics/column-triggers/columns.ts'
import type { Tested } from '../../statistics/column-triggers/confirm.ts'
import { leadOf, restScores } from '../../statistics/column-triggers/rest-model.ts'
import { groupName } from './words.ts'

/** A record with the trigger and its label, whose other columns say another label; and one whose other columns say the label too. */
export const contradicting = 1
export const agreeing = 0.5

/** What the scorer says of a batch beyond its scores. */
export interface Carriers extends Scored {
  readonly classes: readonly string[]
  readonly triggers: number
  /** Code of each record's label, -1 where it has none. */
  readonly given: Int32Array
  /** Class that the other columns of a record with a trigger say; -1 elsewhere. */
  readonly predicted: Int32Array
  /** Trigger that a record has, whatever its label; -1 for none. The first counts. */
  readonly trigger: Int32Array
  /** Names of the columns. */
  readonly names: readonly string[]
  /** [T, 2] the category of each part of each trigger, where the batch shows it. */
  readonly texts: readonly string[]
}

function givenCodes(batch: Batch, classes: readonly string[]): Int32Array {
  const label = codesOf(batch, 'label')
  if (!label) return new Int32Array(batch.numRows).fill(-1)
  const map = label.values.map((name) => classes.indexOf(name))
  return label.codes.map((c) => (c < 0 ? -1 : (map[c] as number)))
}

/** Finds the records that have one of the triggers, and what the rest of each says. */
export async function findCarriers(
  batch: Batch,
  seed: Uint8Array,
  classes: readonly string[],
  triggers: readonly Tested[],
): Promise<Carriers> {
  const n = batch.numRows
  const given = givenCodes(batch, classes)
  const x = columnsOf(batch, seed)
  const texts = new Array<string>(2 * triggers.length).fill('')
  const score = Float64Array.from(given, (g) => (g < 0 ? Number.NaN : 0))
  const trigger = new Int32Array(n).fill(-1)
  const predicted = new Int32Array(n).fill(-1)
  const group = new Int32Array(n).fill(-1)
  const k = classes.length
  if (x) {
    for (const [t, { cell, label, model, cut }] of triggers.entries()) {
      const rows: number[] = []
      for (let i = 0; i < n; i++) if (trigger[i] === -1 && inCell(cell, x.data, x.dims, i)) rows.push(i)
      if (rows.length === 0) continue
      const left = cell.map((part) => part.column)
      cell.forEach((part, l) => {
        if (part.column >= x.numbers) texts[2 * t + l] = x.text(rows[0] as number, part.column)
      })
      const scores = await restScores(model, x, Int32Array.from(rows), left)
      rows.forEach((row, i) => {
        trigger[row] = t
        const own = scores.subarray(i * k, (i + 1) * k)
        const agrees = leadOf(scores, i, k, label) > cut
        predicted[row] = agrees ? label : firstBut(own, label)
        if (given[row] !== label) return
        group[row] = t
        score[row] = agrees ? agreeing : contradicting
      })
    }
  }
  return {
    score,
    suggested: { codes: predicted.map((p, i) => (group[i] === -1 ? -1 : p)), values: classes },
    group: { codes: group, values: triggers.map((_, t) => groupName(t)) },
    classes,
    triggers: triggers.length,
    given,
    predicted,
    trigger,
    names: x?.names ?? [],
    texts,
  }
}

/** The class with the highest score but for one. */
function firstBut(scores: Float64Array, label: number): number {
  let best = -1
  for (let c = 0; c < scores.length; c++) if (c !== label && (best < 0 || (scores[c] as number) > (scores[best] as number))) best = c
  return best
}
