import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../src/artifacts/budget.ts'
import { packed } from './packed.ts'
import { scanned } from './scanned.ts'

describe('what joblib compresses with, made by Python', () => {
  it.each(Object.entries(packed).filter(([name]) => name !== 'xz-delta'))('%s', (_, bytes) => {
    expect(scanned(bytes, 'model.joblib')).toMatchObject({ verdict: 'block', rules: ['pickle-code'] })
  })
  it('names a filter that it does not read', () => {
    expect(scanned(packed['xz-delta'], 'model.joblib')).toMatchObject({ verdict: 'block', rules: ['opaque-container'] })
  })
  it.each(Object.entries(packed).filter(([name]) => name.endsWith('-long')))(
    '%s stops at its budget, and where it is cut off',
    (_, bytes) => {
      expect(scanned(bytes, 'model.joblib', { ...defaultLimits, maxUnpackedBytes: 1_000 }).observations[0]?.message).toContain(
        'more than 1,000 bytes',
      )
      expect(scanned(bytes.subarray(0, 200), 'model.joblib').verdict).not.toBe('block')
    },
  )
})
