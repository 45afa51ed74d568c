import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaults } from '../../src/config/schema.ts'
import type { SourceSpec } from '../../src/contracts/data.ts'
import type { Finding, RecordRef } from '../../src/contracts/finding.ts'
import type { FlagFormat, Pipeline } from '../../src/contracts/pipeline.ts'
import { layout, writeJson } from '../../src/engine/files.ts'
import { makePlan } from '../../src/engine/plan.ts'
import { buildReport } from '../../src/report/build.ts'
import { openRowWriter } from '../../src/report/flags.ts'
import { renderers } from '../../src/report/render/registry.ts'
import { classPair, labelFlip, record } from '../golden/parts.ts'

export const now = new Date('2026-11-23T09:00:00Z')

export interface FlagRow {
  readonly id: string | null
  readonly shard: string
  readonly row: number
  readonly score: number
  readonly given: string | null
  readonly suggested: string | null
  readonly group?: string | null
  readonly pValue?: number | null
}

export interface MakeRun {
  readonly dir: string
  readonly base: string
  readonly sources: readonly SourceSpec[]
  readonly flags: readonly FlagRow[]
  readonly format?: FlagFormat
  readonly subject?: string
  readonly labels?: readonly string[]
  /** Names in the findings; default: the first flag's labels. */
  readonly pair?: readonly [string, string]
  readonly message?: string
}

const refOf = (f: FlagRow): RecordRef => ({
  id: f.id,
  shard: f.shard,
  row: f.row,
  score: f.score,
  pValue: f.pValue ?? null,
  givenLabel: f.given,
  suggestedLabel: f.suggested,
  source: null,
  group: f.group ?? null,
})

/** A run directory as `assay audit` leaves it, as far as a review reads it: plan, digests, flags and report, of flags that a test chooses. */
export async function makeRun(m: MakeRun): Promise<void> {
  const { dir, base, sources, flags, format = 'jsonl' } = m
  const pipeline: Pipeline = {
    version: 1,
    subject: { name: m.subject ?? 'animals', version: 'delivery 7' },
    sources,
    reference: [],
    features: {},
    detectors: {},
    provenance: null,
    gate: defaults.gate,
    waivers: [],
    report: { formats: ['json'], excerpts: false, flags: format, scores: null },
  }
  const plan = await makePlan({
    pipeline,
    base,
    seed: 'review',
    now,
    runDir: dir,
    workers: 1,
    hooks: { progress: () => {}, log: () => {} },
  })
  await writeJson(join(dir, layout.plan), plan)
  const inputs = plan.subject.files.map(({ path, id, bytes }) => ({
    id,
    bytes,
    sha256: createHash('sha256').update(readFileSync(path)).digest('hex'),
    over: 'subject' as const,
  }))
  for (const [i, { sha256, bytes }] of inputs.entries()) await writeJson(join(dir, layout.digest('subject', i)), { sha256, bytes })
  const writer = await openRowWriter(join(dir, `flags.${format}`), format, 'flags')
  await writer.write({
    length: flags.length,
    id: flags.map((f) => f.id),
    shard: flags.map((f) => f.shard),
    row: Uint32Array.from(flags, (f) => f.row),
    detector: 'label-flip',
    rule: record.id,
    score: Float64Array.from(flags, (f) => f.score),
    pValue: Float64Array.from(flags, (f) => f.pValue ?? Number.NaN),
    group: flags.map((f) => f.group ?? null),
    givenLabel: flags.map((f) => f.given),
    suggestedLabel: flags.map((f) => f.suggested),
  })
  await writer.close()
  const [given, suggested] = m.pair ?? [flags[0]?.given ?? 'a', flags[0]?.suggested ?? 'b']
  const finding = (part: Partial<Finding> & Pick<Finding, 'rule' | 'scope' | 'message'>): Finding => ({
    severity: 'high',
    confidence: 'high',
    count: flags.length,
    records: flags.slice(0, 20).map(refOf),
    evidence: [],
    test: null,
    action: 'Have these records labelled again by a second reader.',
    ...part,
  })
  const report = buildReport(
    {
      tool: { name: 'assay', version: '0.1.0' },
      startedAt: now.toISOString(),
      seed: plan.seed,
      planDigest: plan.digest,
      subject: pipeline.subject,
      inputs,
      rows: { read: 1_000, rejected: 0, unlabelled: 0, flagged: flags.length, reference: 0 },
      labels: (m.labels ?? [given, suggested]).map((name) => ({ name, count: 500, flagged: 0 })),
      sources: [],
      columns: [],
      issues: [],
      duplicateIds: { count: 0, examples: [] },
      incomplete: [],
      detectors: [
        labelFlip({
          rowsScored: 1_000,
          rowsFlagged: flags.length,
          findings: [
            finding({
              rule: classPair.id,
              scope: { kind: 'class-pair', names: [given, suggested] },
              message: m.message ?? `Records labelled "${given}" look like "${suggested}".`,
            }),
            finding({
              rule: record.id,
              severity: 'review',
              scope: { kind: 'records', names: [] },
              message: `${flags.length} records look like another class.`,
            }),
          ],
        }),
      ],
      provenance: null,
      levels: [],
    },
    { gate: { ...defaults.gate, 'max-flagged': 1 }, waivers: [], now, excerpts: false },
  )
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'report.json'), await renderers.json.render(report))
}
