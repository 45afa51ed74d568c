import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Piece } from '../../../src/engine/remote/pieces.ts'
import { auditThere } from '../../support/cluster.ts'
import { numbers, yaml } from '../../support/cluster-data.ts'

const folder = () => mkdtemp(join(tmpdir(), 'assay-remote-'))

describe('what goes wrong on the way', () => {
  const only = 'detectors: { embedding-cluster: false, embedding-outlier: false, spectral: false, trigger-tabular: false }'
  const setup = async () => {
    const { table, columns } = numbers(80)
    return { table, dir: await folder(), yaml: yaml(columns, only), sizes: [40, 40] }
  }

  it('rows that no worker read make the audit incomplete', async () => {
    const { table, ...cluster } = await setup()
    const report = await auditThere('lost', table, { ...cluster, counted: 90 })
    expect(report.exitCode).toBe(2)
    expect(JSON.stringify(report.reasons)).toContain('read 80 rows of the 90')
  })

  it('a partition that is answered for twice is refused', async () => {
    const { table, ...cluster } = await setup()
    const meddle = (_: unknown, answers: Piece[]) => [...answers, ...answers.filter((p) => p.part === 1 && p.kind === 'state')]
    await expect(auditThere('twice', table, { ...cluster, meddle })).rejects.toThrow(/twice or out of order|after 0/)
  })

  it('a later read that sees other rows ends the run', async () => {
    const { table, ...cluster } = await setup()
    const meddle = (step: { kind: string }, answers: Piece[]) => (step.kind === 'score' ? answers.filter((p) => p.part === 0) : answers)
    await expect(auditThere('fewer', table, { ...cluster, meddle })).rejects.toMatchObject({ code: 'input-changed', exit: 2 })
  })

  it('a state of another run and damaged states are refused', async () => {
    const { table, ...cluster } = await setup()
    const damage = (_: unknown, answers: Piece[]) =>
      answers.map((p) =>
        p.kind === 'state' && p.part === 1 ? { ...p, bytes: Uint8Array.from(p.bytes, (b, i) => (i === 9 ? b ^ 255 : b)) } : p,
      )
    await expect(auditThere('damaged', table, { ...cluster, meddle: damage })).rejects.toMatchObject({ code: 'state-unreadable' })
  })
})
