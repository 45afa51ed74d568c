import { z } from 'zod'
import type { Batch } from '../contracts/data.ts'
import type { Conclusion, Detector, Flagged, Setup } from '../contracts/detector.ts'
import type { Evidence, Finding } from '../contracts/finding.ts'
import { textCellsOf } from '../contracts/text-cells.ts'
import { type HiddenEvidence, hiddenEvidence, mostBytes, scanned } from './hidden-instruction/evidence.ts'
import { kinds } from './hidden-instruction/kinds.ts'
import { scanText } from './hidden-instruction/scan.ts'
import { type HiddenTally, hiddenTally, type Judgement } from './hidden-instruction/tally.ts'

const hiddenInstructionOptions = z.strictObject({
  /** A kind of review that stands in more than this share of the records is their format: they are counted and not flagged. */
  common: z.number().gt(0).max(1).default(0.05),
})
type Options = z.infer<typeof hiddenInstructionOptions>

const certainMask = kinds.reduce((mask, k, i) => (k.certain ? mask | (1 << i) : mask), 0)
const certainScore = 1
const flaggedFrom = { obfuscated: 0.9, phrase: 0.5 }
/** Fewer records than this are never a format. */
const leastCommon = 50

const groups = kinds.map((k) => k.name)
const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask)
const bits = (mask: number): number => kinds.reduce((n, _, k) => n + ((mask >> k) & 1), 0)

const scoreOf = (mask: number): number =>
  mask === 0 ? 0 : mask & certainMask ? certainScore : Math.min(0.8, flaggedFrom.phrase + 0.1 * (bits(mask) - 1))

function judge(batch: Batch): Judgement {
  const rows = batch.numRows
  const masks = new Uint32Array(rows)
  let hidden = 0
  let cut = 0
  for (const role of scanned) {
    const cells = textCellsOf(batch, role)
    if (!cells) continue
    for (let i = 0; i < rows; i++) {
      const from = cells.offsets[i] as number
      const to = cells.offsets[i + 1] as number
      if (to - from > mostBytes) cut++
      const scan = scanText(cells.values, from, Math.min(to, from + mostBytes))
      masks[i] = (masks[i] as number) | scan.mask
      if (scan.hidden > 0) hidden++
    }
  }
  return {
    score: Float64Array.from(masks, scoreOf),
    group: { codes: Int32Array.from(masks, (m) => (m === 0 ? -1 : lowest(m))), values: groups },
    masks,
    hidden,
    cut,
  }
}

const isCommon = (tally: HiddenTally, k: number, options: Options): boolean =>
  (tally.counts[k] as number) >= leastCommon && (tally.counts[k] as number) > options.common * tally.rows

/**
 * Text that a person does not see and a model reads, and instructions to a model inside the data. What no honest author writes is
 * certain (Boucher et al. 2022, Bad Characters; Boucher and Anderson 2021, Trojan Source); phrases are for review.
 */
export const hiddenInstruction: Detector<Options, HiddenTally, HiddenEvidence> = {
  id: 'hidden-instruction',
  version: 1,
  title: 'Hidden instructions',
  rules: [
    { id: 'hidden-instruction/obfuscated', title: 'Text concealed from a reader', family: 'hidden-instructions' },
    { id: 'hidden-instruction/phrase', title: 'Phrases that address a model', family: 'hidden-instructions' },
  ],
  options: hiddenInstructionOptions,
  missing: (setup: Setup) => (scanned.some((role) => setup.subject.includes(role)) ? null : 'no column has the role text or response'),
  mode: (_, setup) => `scan of ${scanned.filter((role) => setup.subject.includes(role)).join(' and ')} for concealed text and instructions`,
  reads: (_, setup) => ['source', ...scanned.filter((role) => setup.subject.includes(role))],
  statistics: () => [],
  scorer: () => judge,
  tally: hiddenTally,
  decide: (c, tally) => [
    { rule: 'hidden-instruction/obfuscated', group: null, atLeast: flaggedFrom.obfuscated },
    ...kinds.flatMap((kind, k) =>
      kind.certain || isCommon(tally, k, c.options)
        ? []
        : [{ rule: 'hidden-instruction/phrase', group: kind.name, atLeast: flaggedFrom.phrase }],
    ),
  ],
  evidence: hiddenEvidence,
  evidenceReads: [...scanned],
  conclude: (c, tally, evidence, flagged) => conclude(c.options, tally, evidence ?? {}, flagged),
}

function conclude(options: Options, tally: HiddenTally, evidence: HiddenEvidence, flagged: Flagged): Conclusion {
  const findings: Finding[] = []
  const notes = [`${tally.rows} records were scanned. Plain instructions without any of the known phrases are not found by this detector.`]
  kinds.forEach((kind, k) => {
    const count = tally.counts[k] as number
    if (count === 0) return
    const share = `${count} of ${tally.rows} records`
    if (!kind.certain && isCommon(tally, k, options)) {
      notes.push(
        `${share} ${kind.does}: more than ${100 * options.common} %, so it is taken for the format of the data and no record is flagged for it.`,
      )
      return
    }
    findings.push({
      rule: kind.certain ? 'hidden-instruction/obfuscated' : 'hidden-instruction/phrase',
      severity: kind.certain ? 'high' : 'review',
      confidence: kind.certain ? 'certain' : 'low',
      scope: { kind: 'pattern', names: [kind.name] },
      message: `${share} ${count === 1 ? singular(kind.does) : kind.does}.`,
      count,
      records: flagged.top.filter((r) => r.group === kind.name).slice(0, 20),
      evidence: evidenceOf(tally, k, evidence),
      test: null,
      action: kind.certain
        ? 'Remove these records, read what they hide, and ask their source how it came in; strip such characters and markup from everything else it delivers.'
        : 'Read the flagged records: texts about language models quote such phrases; a text that uses them on its reader does not belong in training data.',
    })
  })
  if (tally.hidden > 0)
    notes.push(
      `${tally.hidden} texts hold HTML, Markdown or LaTeX that is not displayed, such as preheaders of mails; it is a finding only where it addresses a model.`,
    )
  if (tally.cut > 0) notes.push(`${tally.cut} texts are longer than ${mostBytes} bytes; of these the rest was not scanned.`)
  return { findings, tests: [], notes }
}

/** "hide text, which no reader sees" of one record: "hides". */
const singular = (does: string): string => does.replace(/^\w+/, (verb) => `${verb}s`).replace('carrys', 'carries')

const topSources = 10

function evidenceOf(tally: HiddenTally, k: number, evidence: HiddenEvidence): Evidence[] {
  const kind = kinds[k] as (typeof kinds)[number]
  const out: Evidence[] = [
    {
      kind: 'numbers',
      title: 'Records by what was found',
      items: kinds.flatMap(({ name }, j) => ((tally.counts[j] as number) > 0 ? [{ name, value: tally.counts[j] as number }] : [])),
    },
  ]
  const sources = tally.sources.filter((s) => (s.counts[k] as number) > 0).sort((a, b) => (b.counts[k] as number) - (a.counts[k] as number))
  if (sources.length > 0) {
    out.push({
      kind: 'table',
      title: `Records with ${kind.name}, by source`,
      columns: ['source', 'records'],
      rows: sources.slice(0, topSources).map((s) => [s.name, s.counts[k] as number]),
    })
  }
  const items = evidence[kind.name]
  if (items?.length) out.push({ kind: 'passages', title: `Where it stands: ${kind.name}`, items })
  return out
}
