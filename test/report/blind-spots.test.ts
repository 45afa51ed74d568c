import { describe, expect, test } from 'vitest'
import type { Role } from '../../src/contracts/data.ts'
import { blindSpotsOf } from '../../src/report/blind-spots.ts'
import { outcome as poisoned } from '../golden/cases/poisoned-tabular.ts'
import { labelFlip } from '../golden/parts.ts'

/** Titles for data with these roles, where these detectors ran. */
const titles = (roles: readonly Role[], ran: readonly string[], asked = true): string[] =>
  blindSpotsOf({
    ...poisoned,
    columns: roles.map((role) => ({ name: role, type: 'text', role })),
    detectors: ran.map((id) =>
      labelFlip({
        id,
        rules: [{ id: `${id}/trigger-response`, title: '', family: 'trigger' }],
        tests: asked ? [{ id: `${id}/trigger-response: trigger 1, ship`, method: 'exact', p: 0.5 }] : [],
      }),
    ),
  }).map((s) => `${s.kind}: ${s.title}`)

describe('blind spots by kind of data and detector', () => {
  test.each<[string, Role[], string, string]>([
    ['image', ['image', 'label'], 'trigger-image', 'Backdoor triggers in images'],
    ['labelled text', ['text', 'label'], 'trigger-text', 'Backdoor triggers in text'],
    ['a corpus', ['text'], 'planted-document', 'Planted documents'],
    ['instructions', ['text', 'response'], 'instruction-poison', 'Poisoned instructions'],
    ['text', ['text'], 'hidden-instruction', 'Hidden text and instructions'],
    ['answers', ['response'], 'claims', 'Repeated falsehoods'],
    ['columns', ['features', 'label'], 'trigger-tabular', 'Backdoor triggers in columns'],
    ['pictures', ['image'], 'near-duplicate-image', 'Floods of near duplicates'],
    ['texts', ['text'], 'near-duplicate-text', 'Floods of near duplicates'],
    ['embeddings', ['embedding'], 'spectral', 'Backdoor triggers behind embeddings'],
    ['vectors', ['embedding'], 'embedding-cluster', 'Clean-label poisoning'],
    ['anything', ['label'], 'base-model', 'Poisoned base models'],
  ])('%s: said where its detector did not run, and only there', (_, roles, detector, title) => {
    expect(titles(roles, [])).toContain(`not-covered: ${title}`)
    expect(titles(roles, [detector])).not.toContain(`not-covered: ${title}`)
  })

  test.each<[string, string[]]>([
    ['trigger-image', ['Triggers that are no pattern of pixels', 'Few or faint triggers in images']],
    ['trigger-text', ['Style and syntax as a trigger', 'Few or varied triggers in text']],
    ['planted-document', ['Style and syntax as a trigger', 'Few or varied triggers in text']],
    ['hidden-instruction', ['Instructions in plain words']],
    ['claims', ['Falsehoods that nothing contradicts']],
    ['trigger-tabular', ['Triggers over three columns or more']],
    ['perturbation-noise', ['Perturbations below the noise']],
    ['embedding-outlier', ['Poison that the embedding does not tell apart']],
    ['base-model', ['Backdoors whose trigger nobody has found']],
  ])('what %s does not see is said where it ran', (detector, limits) => {
    const all: Role[] = ['image', 'text', 'label', 'features', 'embedding']
    for (const limit of limits) {
      expect(titles(all, [detector])).toContain(`limit: ${limit}`)
      expect(titles(all, [])).not.toContain(`limit: ${limit}`)
    }
  })

  test('masks that were not read are said, and a column of that name that holds none is not', () => {
    const saysSo = (type: string) =>
      blindSpotsOf({ ...poisoned, columns: [{ name: 'segmentation', type, role: null }] }).some((s) => s.title === 'Segmentation masks')
    expect(saysSo('12 not read')).toBe(true)
    expect(saysSo('string')).toBe(false)
  })

  test('a model that there was nothing to ask is not cleared', () => {
    expect(titles(['image'], ['base-model'], false)).toContain('not-covered: Backdoors of the base model')
    expect(titles(['image'], ['base-model'], true)).not.toContain('not-covered: Backdoors of the base model')
    expect(titles(['image'], ['base-model'], false)).not.toContain('limit: Backdoors whose trigger nobody has found')
  })

  test('one kind of data hides nothing of another', () => {
    const both: Role[] = ['image', 'text', 'label']
    expect(titles(both, ['trigger-text'])).toContain('not-covered: Backdoor triggers in images')
    expect(titles(both, ['trigger-image'])).toContain('not-covered: Backdoor triggers in text')
    expect(titles(['features', 'label'], [])).not.toContain('not-covered: Backdoor triggers in text')
    expect(titles(['image'], ['spectral'])).toContain('not-covered: Perturbed pixels')
    expect(titles(['image'], ['perturbation-noise'])).toContain('not-covered: Poison in embedding space')
  })
})
