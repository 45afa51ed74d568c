import { z } from 'zod'
import { clip, visible } from '../report/escape.ts'
import { formatNumber } from '../report/format.ts'
import type { Case } from './cases.ts'
import type { Shown } from './content.ts'
import type { Held } from './decision.ts'
import type { Choice, Desk, Outcome, Target } from './desk.ts'
import { ReviewError } from './errors.ts'
import { marked } from './marks.ts'

/** Everything that the page is told is ready to be shown: nothing hidden, nothing without end. */
const shown = (text: string, max = 300): string => clip(visible(clip(text, 4 * max)), max)
const orNull = (text: string | null, max?: number): string | null => (text === null ? null : shown(text, max))

const maxContents = 24
const maxNote = 4_000

/** Distinct texts by position, so that ten thousand records do not repeat them. */
class Words {
  readonly list: string[] = []
  private readonly at = new Map<string, number>()
  of(text: string | null): number {
    if (text === null) return -1
    let at = this.at.get(text)
    if (at === undefined) {
      at = this.list.push(text) - 1
      this.at.set(text, at)
    }
    return at
  }
}

/** All labels of the data and of the flags; the page names a label by its position. */
export function labelsOf(desk: Desk): readonly string[] {
  const words = new Words()
  for (const { name } of desk.report.labels) words.of(name)
  for (const c of desk.cases) for (const label of [c.givenLabel, c.suggestedLabel]) words.of(label)
  return words.list
}

const held = (h: Held, labels: ReadonlyMap<string, number>) => ({
  decision: h.decision,
  label: h.label === null ? -1 : (labels.get(h.label) ?? -1),
  note: orNull(h.note, maxNote),
  reviewer: shown(h.by.reviewer, 80),
  time: h.by.time,
})

const byPosition = (labels: readonly string[]): ReadonlyMap<string, number> => new Map(labels.map((l, i) => [l, i]))

/** What of a run stays as it is while it is reviewed, columns rather than rows. */
export function describeRun(desk: Desk, labels: readonly string[]) {
  const at = byPosition(labels)
  const words = new Words()
  const { report, cases } = desk
  const label = (name: string | null): number => (name === null ? -1 : (at.get(name) as number))
  return {
    subject: shown(report.subject.name),
    version: orNull(report.subject.version),
    verdict: report.verdict,
    headline: shown(report.headline, 600),
    reviewer: shown(desk.reviewer, 80),
    torn: desk.torn,
    left: desk.left,
    labels: labels.map((l) => shown(l, 120)),
    findings: report.findings.map((f) => ({
      rule: shown(f.rule),
      title: shown(report.rules.find((r) => r.id === f.rule)?.title ?? f.rule),
      severity: f.severity,
      status: f.status,
      message: shown(f.message, 600),
      action: shown(f.action, 1_000),
      count: f.count,
      p: f.test ? f.test.adjusted : null,
      fingerprint: f.fingerprint,
    })),
    records: {
      id: cases.map((c) => orNull(c.id, 120)),
      row: cases.map((c) => c.row),
      shard: cases.map((c) => words.of(shown(c.shard))),
      given: cases.map((c) => label(c.givenLabel)),
      suggested: cases.map((c) => label(c.suggestedLabel)),
      score: cases.map((c) => Math.round(c.score * 1e4) / 1e4),
      rules: cases.map((c) => c.parts.map((p) => words.of(shown(p.rule)))),
      findings: cases.map((c) => c.findings),
    },
    words: words.list,
  }
}

/** What is decided by now; `other`: lines about another report. */
export async function describeHeld(desk: Desk, labels: readonly string[]) {
  const at = byPosition(labels)
  const { records, findings, other } = await desk.held()
  const pairs = (of: ReadonlyMap<number, Held>) => [...of].map(([i, h]) => [i, held(h, at)] as const)
  return { records: pairs(records), findings: pairs(findings), other }
}

/** What a finding says that the text of its records may repeat: phrases, and the groups of their flags. */
function needlesOf(c: Case, desk: Desk): readonly string[] {
  const names = c.findings.flatMap((i) => {
    const scope = desk.report.findings[i]?.scope
    return scope?.kind === 'pattern' ? scope.names : []
  })
  return [...names, ...c.parts.flatMap((p) => p.group ?? [])].filter((n) => n !== c.givenLabel)
}

function content(c: Case, found: Shown, desk: Desk, at: ReadonlyMap<string, number>) {
  const parts = c.parts.map((p) => ({
    rule: shown(p.rule),
    score: formatNumber(Math.round(p.score * 1e4) / 1e4),
    p: p.pValue,
    suggested: p.suggestedLabel === null ? -1 : (at.get(p.suggestedLabel) ?? -1),
    group: orNull(p.group, 200),
  }))
  if ('changed' in found) return { parts, changed: shown(found.changed) }
  if ('missing' in found) return { parts, missing: true }
  const needles = needlesOf(c, desk)
  const text = (t: string | null) => (t === null ? null : marked(t, needles))
  return {
    parts,
    source: orNull(found.source),
    text: text(found.text),
    response: text(found.response),
    image: found.image,
    features: found.features.map((f) => ({ name: shown(f.name, 80), value: formatNumber(f.value) })),
    embedding: found.embedding,
  }
}

const positions = z
  .string()
  .regex(/^\d{1,9}(,\d{1,9})*$/)
  .transform((s) => [...new Set(s.split(',').map(Number))].slice(0, maxContents))

/** Contents of the records at `of`, such as `3,4,5`. */
export async function contents(desk: Desk, of: string | null, labels: readonly string[]) {
  const parsed = positions.safeParse(of)
  if (!parsed.success) throw new ReviewError('bad-request', 'name records by their positions')
  const at = parsed.data.filter((i) => i < desk.cases.length)
  const found = await desk.contents(at)
  const byLabel = byPosition(labels)
  return at.map((i, k) => [i, content(desk.cases[i] as Case, found[k] as Shown, desk, byLabel)] as const)
}

const target = z.strictObject({ kind: z.enum(['record', 'finding']), at: z.int().min(0) })
const choice = z.strictObject({
  target,
  decision: z.enum(['confirm', 'dismiss', 'relabel', 'note']),
  label: z.int().min(0).nullable(),
  note: z.string().max(maxNote).nullable(),
})

export const toChoice = (body: unknown, labels: readonly string[]): Choice => {
  const parsed = choice.safeParse(body)
  if (!parsed.success) throw new ReviewError('bad-request', 'this is no decision')
  const { label } = parsed.data
  if (label !== null && labels[label] === undefined) throw new ReviewError('bad-request', 'there is no such label')
  return { ...parsed.data, label: label === null ? null : (labels[label] as string) }
}

export const answer = (outcome: Outcome | null, labels: readonly string[]): { target: Target; held: unknown } | null =>
  outcome && { target: outcome.target, held: outcome.held && held(outcome.held, byPosition(labels)) }
