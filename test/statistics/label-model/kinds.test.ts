import { describe, expect, it } from 'vitest'
import { keyed } from '../../../src/math/rng.ts'
import { ownKinds } from '../../../src/statistics/label-model/kinds.ts'

const [rows, dims] = [2000, 6]
const seed = new Uint8Array(16)

/** One predicted class; every tenth record has another label, and lies `away` in a column of large unit. */
function sample(away: number) {
  const random = keyed(seed, 'kinds')
  const given = Int32Array.from({ length: rows }, (_, i) => (i % 10 ? 1 : 0))
  const depth = Float64Array.from({ length: rows }, () => random.uniform())
  const data = random.normals(rows * dims).map((v, at) => {
    const i = Math.floor(at / dims)
    return at % dims === 2 ? 1000 * (v + (given[i] === 0 ? away : 0)) : v
  })
  return { x: { data, rows, dims }, judged: { classes: 2, given, predicted: new Int32Array(rows).fill(1), depth } }
}

describe('kinds of records of their own', () => {
  it('are not what was flipped at random, and are what lies elsewhere', async () => {
    const [flipped, kind] = [sample(0), sample(1.5)]
    expect(await ownKinds(flipped.x, true, flipped.judged, seed)).toEqual([])
    // labelled 0, predicted 1
    expect(await ownKinds(kind.x, true, kind.judged, seed)).toEqual([1])
  })

  it('are not told from a few records, nor from shallow ones', async () => {
    const { x, judged } = sample(1.5)
    const few = { ...judged, given: judged.given.map((label, i) => (i < 120 ? label : 1)) }
    expect(await ownKinds(x, true, few, seed)).toEqual([])
    expect(await ownKinds(x, true, { ...judged, depth: judged.depth.map((d) => d / 2.1) }, seed)).toEqual([])
  })
})
