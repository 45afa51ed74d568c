import { z } from 'zod'

export const decisions = ['confirm', 'dismiss', 'relabel', 'note', 'undo', 'torn'] as const
const text = z.string().max(20_000)
const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`))

/** One line of `decisions.jsonl`. Lines are only ever added: `undo` takes an earlier one back. */
export const decisionSchema = z.strictObject({
  /** Names this line. */
  entry: hex(16),
  /** ISO 8601 */
  time: text,
  reviewer: text,
  /** SHA-256 of the `report.json` that was reviewed. */
  report: hex(64),
  /** `torn` says that the line before it was cut off when it was written. */
  decision: z.enum(decisions),
  /** The `entry` that an undo takes back. */
  undoes: hex(16).nullable(),
  /** Of a record: keyed digest of its id, else of its content without the label; null for a finding. */
  key: hex(32).nullable(),
  id: z.string().nullable(),
  /** Where the record was: shard, and 0-based row within the shard's file. */
  shard: z.string().nullable(),
  row: z.int().min(0).nullable(),
  /** Fingerprint: the finding itself, or one that the record belongs to. */
  finding: hex(64).nullable(),
  rule: text.nullable(),
  givenLabel: z.string().nullable(),
  /** Only with `relabel`. */
  label: z.string().nullable(),
  note: text.nullable(),
})

export type Decision = z.infer<typeof decisionSchema>

/** What is held of a record or a finding once all lines are read. */
export interface Held {
  readonly decision: 'confirm' | 'dismiss' | 'relabel' | null
  readonly label: string | null
  readonly note: string | null
  /** The line that decided; of a note without a decision, its own. */
  readonly by: Decision
}

export const recordName = (shard: string, row: number): string => `record ${shard}\0${row}`
export const findingName = (fingerprint: string): string => `finding ${fingerprint}`

/** What a line is about; null for `undo` and `torn`. */
export const nameOf = (d: Decision): string | null =>
  d.shard !== null && d.row !== null ? recordName(d.shard, d.row) : d.key === null && d.finding !== null ? findingName(d.finding) : null

/** All that is held, by `nameOf`, after every line in its order. A decision keeps the note before it unless it brings its own. */
export function replay(lines: readonly Decision[]): ReadonlyMap<string, Held> {
  const undone = new Set(lines.filter((l) => l.decision === 'undo').map((l) => l.undoes))
  const held = new Map<string, Held>()
  for (const line of lines) {
    const name = nameOf(line)
    if (name === null || line.decision === 'undo' || line.decision === 'torn' || undone.has(line.entry)) continue
    const before = held.get(name)
    if (line.decision === 'note') held.set(name, { decision: null, label: null, by: line, ...before, note: line.note })
    else held.set(name, { decision: line.decision, label: line.label, note: line.note ?? before?.note ?? null, by: line })
  }
  return held
}

/** The last line of this reviewer that still holds. */
export function lastOf(lines: readonly Decision[], reviewer: string): Decision | null {
  const undone = new Set(lines.filter((l) => l.decision === 'undo').map((l) => l.undoes))
  return lines.findLast((l) => l.reviewer === reviewer && nameOf(l) !== null && !undone.has(l.entry)) ?? null
}
