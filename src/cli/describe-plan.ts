import { relative } from 'node:path'
import type { ColumnInfo, Role } from '../contracts/data.ts'
import type { Part, Plan } from '../engine/plan.ts'
import { escapeTerminal } from '../report/escape.ts'
import { formatBytes, formatCount, plural } from '../report/format.ts'
import { mayHaveLabels } from '../report/gate.ts'

const shown = 20

/** `label <- diagnosis, features <- 30 columns (radius, texture, ...)` */
export function describeColumns(columns: readonly ColumnInfo[]): string {
  const byRole = groupByRole(columns)
  const parts = [...byRole].map(([role, list]) => {
    const names = list.slice(0, 4).map((c) => escapeTerminal(c.name.slice(0, 60)))
    return list.length === 1
      ? `${role} <- ${names[0]}`
      : `${role} <- ${list.length} columns (${names.join(', ')}${list.length > 4 ? ', ...' : ''})`
  })
  return parts.join(', ') || 'none'
}

function groupByRole(columns: readonly ColumnInfo[]): Map<Role, ColumnInfo[]> {
  const out = new Map<Role, ColumnInfo[]>()
  for (const c of columns) {
    if (c.role === null) continue
    const list = out.get(c.role)
    if (list) list.push(c)
    else out.set(c.role, [c])
  }
  return out
}

const rowsOf = (part: Part): number | null =>
  part.shards.reduce<number | null>((sum, s) => (sum === null || s.expectedRows === null ? null : sum + s.expectedRows), 0)

function describePart(name: string, part: Part): string[] {
  const hint = part.guessed ? labelHint(part.columns) : null
  const rows = rowsOf(part)
  const bytes = part.files.reduce((sum, f) => sum + f.bytes, 0)
  const size = `${rows === null ? 'rows unknown before reading' : plural(rows, 'row')}, ${formatBytes(bytes)}`
  const list = part.shards
    .slice(0, shown)
    .map((s) => `    ${escapeTerminal(s.id)}  ${s.format}, ${s.expectedRows === null ? 'rows unknown' : plural(s.expectedRows, 'row')}`)
  if (part.shards.length > shown) list.push(`    and ${formatCount(part.shards.length - shown)} more`)
  return [
    `${name}: ${plural(part.files.length, 'file')}, ${plural(part.shards.length, 'shard')} in ${plural(part.groups.length, 'group')}, ${size}`,
    `  columns${part.guessed ? ' (guessed)' : ''}: ${describeColumns(part.columns)}`,
    ...(hint === null ? [] : [`    ${hint}`]),
    ...(part.pixels ? [`  images: ${part.pixels.description}`] : []),
    ...list,
  ]
}

/** What is copied to the run directory before it is read. */
function describeCopies({ pipeline }: Plan): string[] {
  const copied = [...pipeline.sources, ...pipeline.reference].flatMap((s) => s.copied ?? [])
  if (copied.length === 0) return []
  return [
    'copied to the run directory first, each once and as it is at one moment:',
    ...copied.flatMap(({ names, note }) => [
      ...Object.values(names)
        .slice(0, shown)
        .map((name) => `  ${escapeTerminal(name)}`),
      ...(note === undefined ? [] : [`    ${note}`]),
    ]),
  ]
}

/** What manifests and baselines are held against; nothing where none was asked for. */
function describeProvenance({ pipeline, delivery, comparison }: Plan): string[] {
  const spec = pipeline.provenance
  if (!spec) return []
  const out = ['', 'provenance:']
  if (delivery) {
    const { name, files, manifests, bytes } = delivery
    out.push(
      `  ${escapeTerminal(name)}: ${plural(files, 'file')}, ${manifests === 0 ? 'no manifest was found' : plural(manifests, 'manifest')}, ${formatBytes(bytes)} to hash`,
    )
    for (const m of delivery.shown)
      out.push(
        `    ${escapeTerminal(m.file)}  ${escapeTerminal(m.title)}, names ${plural(m.entries, 'file')}, ${m.signatures === 0 ? 'not signed' : plural(m.signatures, 'signature')}`,
      )
    if (manifests > delivery.shown.length) out.push(`    and ${formatCount(manifests - delivery.shown.length)} more`)
    const { keys, certificates, identities } = spec.trust
    out.push(
      `  trusted: ${plural(keys.length, 'key')}, ${plural(certificates.length, 'certificate')}, ${plural(identities.length, 'identity', 'identities')}; weakest digest ${spec.weakestDigest}`,
    )
  } else out.push('  manifests: none are read')
  const baseline = comparison?.baseline
  if (baseline)
    out.push(
      `  baseline: ${escapeTerminal(baseline.name)}, ${baseline.kind === 'snapshot' ? `a snapshot of ${plural(baseline.records, 'record')}` : `data, ${plural(baseline.files.length, 'file')}, read once`}`,
    )
  else out.push('  baseline: none')
  if (comparison)
    out.push(
      `  snapshot: of every column, in the first read${spec.snapshot === null ? '' : `; left in ${escapeTerminal(shortPath(spec.snapshot))}`}`,
    )
  return out
}

/** The model that is asked about triggers, and where clean images for it come from. */
function describeModel({ pipeline, reference }: Plan): string[] {
  const spec = pipeline.baseModel
  if (!spec) return []
  const from = spec.images ?? (reference?.roles.includes('image') ? 'reference' : 'subject')
  return [
    '',
    'base model:',
    `  ${escapeTerminal(shortPath(spec.model))}: ${spec.classes ? plural(spec.classes.length, 'class', 'classes') : 'an embedding'}, asked about every trigger that is found${spec.triggers.length > 0 ? ` and those of ${plural(spec.triggers.length, 'file')}` : ''}`,
    `  on ${formatCount(spec.samples)} clean images of the ${from}, read again`,
  ]
}

const describeExchange = ({ diskBytes }: NonNullable<Plan['exchange']>): string =>
  `  exchange   every row, to be compared with all others: ${diskBytes === null ? 'copies' : `copies of ${formatBytes(diskBytes)}`} on disk until it is done`

/** What `--dry-run` prints: the data, the detectors, every read of the data, and the memory that statistics take. */
export function describePlan(plan: Plan, workers: number): string {
  const { subject, reference } = plan
  const out = [
    `plan ${plan.digest.slice(0, 16)}, seed ${plan.seed}`,
    '',
    ...describePart('subject', subject),
    ...(reference ? describePart('reference', reference) : []),
    ...describeCopies(plan),
    '',
    'detectors:',
    ...plan.detectors.map(
      (d) => `  ${d.id}${d.required ? ' (required)' : ''}: ${d.status === 'runs' ? 'runs' : d.status}: ${escapeTerminal(d.reason)}`,
    ),
    ...describeProvenance(plan),
    ...describeModel(plan),
    '',
    'reads of the data:',
    ...plan.levels.flatMap((level, i) => [
      `  fit ${i}  ${level.name}: ${level.statistics.join(', ') || 'counts and spool'}`,
      ...(plan.exchange?.after === i ? [describeExchange(plan.exchange)] : []),
    ]),
    '  score   every row, by every detector that runs',
    '  evidence   flagged rows only',
    '',
    `memory: at most ${formatBytes(plan.stateBytes)} of statistics a worker, ${plural(workers, 'worker')}`,
  ]
  return `${out.join('\n')}\n`
}

/** How to name a label where data were guessed to have none: most detectors compare labels. */
function labelHint(columns: readonly ColumnInfo[]): string | null {
  if (!mayHaveLabels(columns)) return null
  const named = columns.find((c) => c.role === 'categories')?.name.slice(0, 60) ?? 'COLUMN'
  return `none was taken for the label: where one is, name it, as in --label ${escapeTerminal(named)}`
}

export const guessLine = (columns: readonly ColumnInfo[]): string =>
  [`columns guessed: ${describeColumns(columns)}; --print-config writes them down`, labelHint(columns) ?? []].flat().join('; ')

export const guessNote = (plan: Plan): string | null => (plan.subject.guessed ? guessLine(plan.subject.columns) : null)

/** As short as it can be typed from here. */
export const shortPath = (path: string): string => {
  const way = relative(process.cwd(), path)
  return way === '' ? '.' : way.startsWith('..') ? path : way
}
