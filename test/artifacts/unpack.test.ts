import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../src/artifacts/budget.ts'
import { zipOf } from './archives.ts'
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

describe('Zstandard', () => {
  const frame = (...bytes: readonly number[]): Buffer => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...bytes])

  it('is read over all frames, and what is to be skipped is skipped', () => {
    expect(scanned(packed['zstd-frames'], 'model.bin').observations.map((o) => o.subject)).toContain('os.system')
  })
  it('is not given more than half a second for a block that asks for minutes', () => {
    // 98,047 sequences of 65,539 bytes each, all of them described by three bytes.
    const block = [0, 0xff, 0xff, 0xff, 0x54, 0, 0, 52, 1]
    const bytes = frame(0, 0, (block.length << 3) | 5, 0, 0, ...block)
    const since = performance.now()
    const { verdict, observations } = scanned(bytes, 'model.bin', { ...defaultLimits, maxUnpackedBytes: 1 << 20 })
    expect(performance.now() - since).toBeLessThan(4_000)
    expect({ verdict, message: observations[0]?.message }).toEqual({
      verdict: 'review',
      message: 'was not looked into at zstd: it takes longer than 0.5 seconds to unpack.',
    })
  })
  it('is not given a window of more than 128 MiB', () => {
    expect(scanned(frame(0, 0x90, 1, 0, 0), 'model.bin').observations[0]?.message).toContain('a window of more than 128 MiB')
    expect(scanned(frame(0xe0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0), 'model.bin').observations[0]?.message).toContain('more than 128 MiB')
  })
  it.each([5, 8, 10, 14])('is damaged where it is cut off after %i bytes', (n) => {
    expect(scanned(packed['zstd-evil'].subarray(0, n), 'model.bin').observations).toMatchObject([
      { verdict: 'review', rule: 'format-violation', subject: 'zstd' },
    ])
  })
  it.each([
    [12, 'bz2-evil'],
    [93, 'zstd-evil'],
    [95, 'xz-evil'],
  ] as const)('and others are read in a zip archive: method %i', (method, name) => {
    expect(scanned(zipOf([{ name: 'data.pkl', content: packed[name], method }]), 'model.pt').rules).toContain('pickle-code')
  })
})
