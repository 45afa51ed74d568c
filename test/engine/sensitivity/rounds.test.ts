import { describe, expect, it } from 'vitest'
import type { SensitivitySpec, SensitivityTrial } from '../../../src/contracts/sensitivity.ts'
import { furtherTrials } from '../../../src/engine/sensitivity/rounds.ts'

const spec: SensitivitySpec = { rates: [0.01], rate: 0.01, seeds: 3, precision: 0.1, sample: 1_000, budgetSeconds: 1, attacks: null }
const trials = (attack: string, shares: readonly number[], reason: string | null = null): readonly SensitivityTrial[] =>
  shares.map((share, seed) => ({
    attack,
    rate: 0.01,
    seed,
    rows: 1_000,
    carriers: 10,
    found: 10 * share,
    foundBy: {},
    findings: [],
    reason,
    failure: null,
  }))
const repeated = (count: number, ...shares: readonly number[]): readonly number[] =>
  Array.from({ length: count }, (_, i) => shares[i % shares.length] as number)
const further = (...tried: readonly (readonly SensitivityTrial[])[]): readonly string[] =>
  furtherTrials(spec, tried.flat()).map((t) => `${t.attack} ${t.seed}`)

describe('further trials', () => {
  it('are those of the attacks whose recall is least known, first', () => {
    expect(further(trials('patch', [0.4, 0.5, 0.6]), trials('blend', [0, 1, 0.5]))).toEqual([
      'blend 3',
      'blend 4',
      'blend 5',
      'patch 3',
      'patch 4',
      'patch 5',
    ])
  })

  it('are tried where three found nothing, and no longer where a dozen did', () => {
    expect(further(trials('warp', [0, 0, 0]))).toEqual(['warp 3', 'warp 4', 'warp 5'])
    expect(further(trials('warp', repeated(12, 0)))).toEqual([])
    expect(further(trials('warp', repeated(12, 1)))).toEqual([])
  })

  it('end at forty, where the attack cannot be tried, and where no precision is asked for', () => {
    expect(further(trials('patch', repeated(39, 0, 1)))).toEqual(['patch 39'])
    expect(further(trials('patch', repeated(40, 0, 1)))).toEqual([])
    expect(further(trials('patch', [0, 0, 0], 'too few records'))).toEqual([])
    expect(furtherTrials({ ...spec, precision: 1 }, trials('patch', [0, 1, 0]))).toEqual([])
  })
})
