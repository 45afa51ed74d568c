import { describe, expect, test } from 'vitest'
import { type Family, taxaOf, taxonomies } from '../../src/taxonomy/taxonomies.ts'

const families: readonly Family[] = [
  'label-flip',
  'clean-label',
  'trigger',
  'data-provenance',
  'base-model',
  'hidden-instructions',
  'coverage',
]
const forms: { readonly [key: string]: RegExp } = {
  atlas: /^AML\.T\d{4}(\.\d{3})?$/,
  nist: /^NISTAML\.\d{2,3}$/,
  'owasp-ml': /^ML\d{2}:2023$/,
  'owasp-llm': /^LLM\d{2}:2025$/,
  'eu-ai-act': /^Article \d+\(\d+\)(\([a-z]\))?$/,
}

describe('taxonomies', () => {
  test.each(families)('%s: every entry has a name in its taxonomy', (family) => {
    for (const taxon of taxaOf(family)) {
      const taxonomy = taxonomies.find((t) => t.key === taxon.taxonomy)
      expect(taxonomy?.entries[taxon.id]).toBe(taxon.name)
    }
  })

  test.each(taxonomies)('$name: ids have the form of the publication, and each is used', ({ key, entries }) => {
    const used = new Set(families.flatMap((f) => taxaOf(f).map((t) => t.id)))
    for (const id of Object.keys(entries)) {
      expect(id).toMatch(forms[key] as RegExp)
      expect(used).toContain(id)
    }
  })

  test('label flips are poisoned training data', () => {
    expect(taxaOf('label-flip').map((t) => t.id)).toEqual([
      'AML.T0020',
      'AML.T0059',
      'NISTAML.013',
      'NISTAML.024',
      'ML02:2023',
      'LLM04:2025',
      'Article 10(2)(c)',
      'Article 10(3)',
      'Article 15(5)',
    ])
  })

  test('blind spots are no attack', () => expect(new Set(taxaOf('coverage').map((t) => t.taxonomy))).toEqual(new Set(['eu-ai-act'])))
})
