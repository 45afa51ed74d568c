import { describe, expect, it } from 'vitest'
import { type BaseModelPart, together } from '../../src/engine/base-model-outcome.ts'

const part = (name: string, status: BaseModelPart['detector']['status']): BaseModelPart => ({
  detector: {
    id: 'base-model',
    version: 1,
    title: 'Base model',
    rules: [{ id: `base-model/${name}`, title: name, family: 'base-model' }],
    required: true,
    options: null,
    status,
    reason: `${name} ${status}`,
    rowsScored: 0,
    rowsFlagged: 0,
    thresholds: [],
    notes: [`note of ${name}`],
    findings: [],
    tests: [{ id: name, method: 'exact', p: 0.5 }],
  },
  incomplete: status === 'failed' ? [{ code: 'unreadable', message: name, place: { file: name }, hint: 'correct it' }] : [],
})

describe('files and answers of a model', () => {
  it('are one outcome, with the rules, notes and tests of both', () => {
    const both = together([part('files', 'ran'), part('answers', 'ran')])
    expect(both?.detector).toMatchObject({ id: 'base-model', status: 'ran', required: true, reason: 'files ran; answers ran' })
    expect(both?.detector.rules.map((r) => r.id)).toEqual(['base-model/files', 'base-model/answers'])
    expect(both?.detector.notes).toEqual(['note of files', 'note of answers'])
    expect(both?.detector.tests.map((t) => t.id)).toEqual(['files', 'answers'])
  })
  it.each([
    ['ran', 'failed', 'failed'],
    ['failed', 'ran', 'failed'],
    ['ran', 'not-applicable', 'ran'],
    ['not-applicable', 'ran', 'ran'],
    ['not-applicable', 'not-applicable', 'not-applicable'],
  ] as const)('%s and %s are %s', (files, answers, status) => {
    const both = together([part('files', files), part('answers', answers)])
    expect(both?.detector.status).toBe(status)
    expect(both?.incomplete).toHaveLength(status === 'failed' ? 1 : 0)
  })
  it('are the one that there is, or nothing', () => {
    expect(together([null, part('answers', 'ran')])?.detector.reason).toBe('answers ran')
    expect(together([null, null])).toBeNull()
  })
})
