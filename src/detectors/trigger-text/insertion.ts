import type { Finding, RecordRef, Test } from '../../contracts/finding.ts'
import type { LabelPhrases } from '../../statistics/label-phrases.ts'
import { insertionFinding, insertionTest } from '../../statistics/text/insertion-finding.ts'
import { type InsertedPhrase, isInserted } from '../../statistics/text/judge-insertions.ts'
import type { MarkedTexts } from '../../statistics/text/marked.ts'
import type { TriggerTextOptions } from './options.ts'

/** Inserted phrases that the label test did not name already. */
export function insertedOf(fit: LabelPhrases, options: TriggerTextOptions): InsertedPhrase[] {
  const named = fit.phrases.map((p) => ` ${p.words} `)
  return fit.inserted.filter((p) => isInserted(p, options) && !named.some((n) => n.includes(` ${p.words} `) || ` ${p.words} `.includes(n)))
}

export function insertionFindings(
  fit: LabelPhrases,
  options: TriggerTextOptions,
  marked: MarkedTexts,
  top: readonly RecordRef[],
): { readonly findings: readonly Finding[]; readonly tests: readonly Test[] } {
  const found = insertedOf(fit, options)
  const rule = 'trigger-text/insertion'
  const next = fit.inserted.find((p) => !found.includes(p)) ?? null
  return {
    findings: found.map((p) => insertionFinding(rule, p, next, marked, top)),
    tests: (next ? [...found, next] : found).map((p) => insertionTest(rule, p, fit.insertionsJudged)),
  }
}
