import { keysOf, matrixOf, vectorsOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import { neighbourIndex } from '../../math/neighbours.ts'
import { partsFrom } from '../../statistics/embedding/cell-exchange.ts'
import { codesIn } from '../../statistics/embedding/classes.ts'
import { neighbourParts, type Parts, partNames } from '../../statistics/embedding/neighbour-parts.ts'
import { suspicionOf, unitsOf } from '../../statistics/embedding/part-scale.ts'
import { placesOf, recordKey } from '../../statistics/embedding/places.ts'
import { mapVectors } from '../../statistics/embedding/space.ts'
import type { NeighbourFit, NeighbourScale } from '../../statistics/neighbour-fit.ts'
import { type Suspected, scoreOf } from '../embedding/suspicion.ts'
import { conformal } from '../label-flip/with-model.ts'

/** Scores of a batch against the fit. What is in the sample has been judged with it, itself left out. */
export function judgeByNeighbours(fit: NeighbourFit, fitId: string): (batch: Batch) => Promise<Suspected> {
  const { sample } = fit
  const place: ReadonlyMap<string, number> = fit.trusted ? new Map() : placesOf(sample)
  const index = neighbourIndex({ data: sample.vectors, rows: sample.rows, dims: sample.map.dims }, 'euclidean')
  return async (batch) => {
    const vectors = vectorsOf(batch)
    const contents = keysOf(batch, 'content')
    if (!vectors || !contents) throw new Error('the batch has no vectors')
    const labels = codesIn(sample.classes, batch)
    const mapped = await mapVectors(sample.map, vectors)
    const dims = sample.map.dims
    const member = Int32Array.from(labels, (label, i) => place.get(recordKey(label, contents, i)) ?? -1)
    const others = [...member.keys()].filter((i) => (member[i] as number) < 0)
    const queries = new Float32Array(others.length * dims)
    others.forEach((row, i) => {
      queries.set(mapped.subarray(row * dims, (row + 1) * dims), i * dims)
    })
    const found = await index.topK({ data: queries, rows: others.length, dims }, fit.k)
    const theirLabels = Int32Array.from(others, (row) => labels[row] as number)
    const theirs = neighbourParts(found, theirLabels, new Float64Array(others.length), fit.table)
    const parts = gather(member, others, fit.parts, theirs)
    return suspected(fit, fitId, { labels, mapped, parts })
  }
}

/** Scores of a batch from its column `neighbours`, for which every record was compared with all others. */
export function judgeByCells(scale: NeighbourScale, fitId: string): (batch: Batch) => Promise<Suspected> {
  return async (batch) => {
    const vectors = vectorsOf(batch)
    const column = matrixOf(batch, 'neighbours')
    if (!vectors || !column) throw new Error('the batch has no neighbours')
    const mapped = await mapVectors(scale.sample.map, vectors)
    return suspected(scale, fitId, { labels: codesIn(scale.sample.classes, batch), mapped, parts: partsFrom(column) })
  }
}

interface Around {
  /** Codes into the classes of the sample; -1 without a label, -2 of a class that is not in it. */
  readonly labels: Int32Array
  readonly mapped: Float32Array
  readonly parts: Parts
}

function suspected(scale: NeighbourScale, fitId: string, { labels, mapped, parts }: Around): Suspected {
  const { sample, calibration, trusted } = scale
  const { dims } = sample.map
  const known = labels.map((label) => (label === -2 ? -1 : label))
  const suspicion = suspicionOf(scale, parts, known).map((u, i) => (labels[i] === -2 ? Number.NaN : u))
  const name = (code: number): string | null => (code < 0 ? null : (sample.classes[code] as string))
  return {
    score: suspicion.map((u) => (Number.isNaN(u) ? 0 : scoreOf(u))),
    ...(trusted ? { pValue: suspicion.map((u) => (Number.isNaN(u) ? u : conformal(calibration, u))) } : {}),
    suggested: {
      codes: parts.lead.map((lead, i) =>
        lead !== labels[i] && (labels[i] as number) >= 0 && (parts.leadShare[i] as number) > 0.5 ? lead : -1,
      ),
      values: sample.classes,
    },
    parts: partNames,
    fitId,
    calibration: calibration.length,
    detail: (i) => ({
      name: name(labels[i] as number),
      x: mapped[i * dims] as number,
      y: dims > 1 ? (mapped[i * dims + 1] as number) : 0,
      parts: unitsOf(scale, parts, known, i),
      near:
        (parts.lead[i] as number) < 0 ? null : `${name(parts.lead[i] as number)} (${Math.round(100 * (parts.leadShare[i] as number))} %)`,
    }),
  }
}

/** The parts of a batch: of members those of the sample, of the others their own. */
function gather(member: Int32Array, others: readonly number[], sample: Parts, own: Parts): Parts {
  const at = new Int32Array(member.length)
  others.forEach((row, i) => {
    at[row] = i
  })
  const take = (from: Float64Array | Int32Array, mine: Float64Array | Int32Array) => (row: number, i: number) =>
    (row >= 0 ? from[row] : mine[at[i] as number]) as number
  const numbers = (name: (typeof partNames)[number] | 'leadShare') => Float64Array.from(member, take(sample[name], own[name]))
  return {
    distance: numbers('distance'),
    slof: numbers('slof'),
    dao: numbers('dao'),
    disagreement: numbers('disagreement'),
    tightness: numbers('tightness'),
    lead: Int32Array.from(member, take(sample.lead, own.lead)),
    leadShare: numbers('leadShare'),
  }
}
