import { describe, expect, test } from 'vitest'
import { baseModelRules } from '../../src/artifacts/rules.ts'
import { baseModelId, coverageId, historyId, provenanceId } from '../../src/contracts/outcome.ts'
import { detectors } from '../../src/detectors/registry.ts'
import { blindSpotRule } from '../../src/engine/sensitivity/rule.ts'
import { triggerResponse } from '../../src/engine/trigger-response-rule.ts'
import { historyRules } from '../../src/history/rules.ts'
import { provenanceRules } from '../../src/provenance/rules.ts'
import { explainRule, ruleIds } from '../../src/report/explain.ts'
import { taxaOf } from '../../src/taxonomy/taxonomies.ts'

const rules = [
  ...detectors,
  { id: provenanceId, rules: provenanceRules },
  { id: baseModelId, rules: [...baseModelRules, triggerResponse] },
  { id: coverageId, rules: [blindSpotRule] },
  { id: historyId, rules: historyRules },
].flatMap((d) => d.rules.map((rule) => ({ detector: d.id, ...rule })))

describe.each(rules)('$id', ({ id, detector, title, family }) => {
  test('is named after its detector and has a title', () => {
    expect(id).toMatch(new RegExp(`^${detector}/[a-z][a-z-]*$`))
    expect(title.trim()).not.toBe('')
  })

  test('has a page', async () => expect(await explainRule(id)).toContain(`# ${id}: `))

  test('names in its page exactly the taxonomy entries of its family', async () => {
    const page = await explainRule(id)
    const own = taxaOf(family)
    for (const taxon of own.filter((t) => t.taxonomy !== 'eu-ai-act')) expect(page).toContain(taxon.id)
    const cited = page.match(/AML\.T\d{4}(?:\.\d{3})?|NISTAML\.\d+|(?:ML|LLM)\d{2}:20\d{2}/g) ?? []
    for (const entry of cited) expect(own.map((t) => t.id)).toContain(entry)
  })
})

test('no page is left over', async () => {
  expect(await ruleIds()).toEqual(rules.map((r) => r.id).sort())
})

test('detectors are sorted and their ids are unique', () => {
  const ids = detectors.map((d) => d.id)
  expect(ids).toEqual([...new Set(ids)].sort())
})
