import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DigestAlgorithm, digestAlgorithms } from '../../src/contracts/provenance.ts'
import { chunkBytes } from '../../src/provenance/hash-file.ts'
import { hashFile, hashFiles } from '../../src/provenance/hash-files.ts'
import { folderOf } from './folders.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('hashFile', () => {
  // RFC 1321, FIPS 180-4, FIPS 202, RFC 7693, the BLAKE3 paper: digests of "abc"; CRC-32 of ISO 3309.
  it.each([
    ['crc32', '352441c2'],
    ['md5', '900150983cd24fb0d6963f7d28e17f72'],
    ['sha1', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['sha224', '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7'],
    ['sha256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['sha384', 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7'],
    [
      'sha512',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
    ['sha3-256', '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532'],
    ['sha3-384', 'ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25'],
    [
      'sha3-512',
      'b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0',
    ],
    [
      'blake2b',
      'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
    ],
    ['blake3', '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85'],
  ] as const)('%s of a published vector', async (algorithm, hex) => {
    const root = folderOf({ f: 'abc' })
    const found = await hashFile(join(root, 'f'), { path: 'f', algorithms: [algorithm], ranges: [] })
    expect(found).toEqual({ path: 'f', bytes: 3, digests: [{ algorithm, hex }], ranges: [] })
  })

  it('computes every algorithm in one go, over several chunks', async () => {
    const bytes = randomBytes(2 * chunkBytes + 17)
    const root = folderOf({ f: bytes })
    const { digests } = await hashFile(join(root, 'f'), { path: 'f', algorithms: digestAlgorithms, ranges: [] })
    expect(digests.map((d) => d.algorithm)).toEqual(digestAlgorithms)
    const names: Partial<Record<DigestAlgorithm, string>> = { blake2b: 'blake2b512' }
    for (const { algorithm, hex } of digests) {
      if (algorithm === 'blake3') continue
      const expected =
        algorithm === 'crc32'
          ? crc32(bytes).toString(16).padStart(8, '0')
          : createHash(names[algorithm] ?? algorithm)
              .update(bytes)
              .digest('hex')
      expect(hex).toBe(expected)
    }
  })

  it('agrees with one call of the library, for any content and any ranges', async () => {
    const bytes = randomBytes(3 * chunkBytes)
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: bytes.length }),
        fc.array(fc.tuple(fc.nat(bytes.length), fc.nat(bytes.length)), { maxLength: 12 }),
        async (length, pairs) => {
          const content = bytes.subarray(0, length)
          const root = folderOf({ f: content })
          const ranges = pairs.map(([a, b]) => ({ range: [Math.min(a, b), Math.max(a, b)] as const, algorithm: 'sha256' as const }))
          const found = await hashFile(join(root, 'f'), { path: 'f', algorithms: ['sha256'], ranges })
          expect(found.bytes).toBe(length)
          expect(found.digests[0]?.hex).toBe(sha256(content))
          expect(found.ranges).toEqual(ranges.map(({ range: [start, end] }) => sha256(content.subarray(start, end))))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('refuses a file that grows, or that is gone', async () => {
    const root = folderOf({ f: randomBytes(4 * chunkBytes) })
    const grow = { progress: () => appendFileSync(join(root, 'f'), 'x') }
    await expect(hashFile(join(root, 'f'), { path: 'f', algorithms: ['sha256'], ranges: [] }, grow)).rejects.toMatchObject({
      code: 'changed',
    })
    rmSync(join(root, 'f'))
    await expect(hashFile(join(root, 'f'), { path: 'f', algorithms: ['md5'], ranges: [] })).rejects.toMatchObject({
      code: 'unreadable',
      message: 'f cannot be read: there is no such file or folder',
    })
  })
})

describe('hashFiles', () => {
  it('answers in the order of the requests, tells of all bytes, and says which file cannot be read', async () => {
    const sizes = [10, 3_000_000, 0, 500, 70_000]
    const files = Object.fromEntries(sizes.map((size, i) => [`d/${i}`, randomBytes(size)]))
    const root = folderOf(files)
    const requests = [...Object.keys(files), 'gone'].map((path) => ({ path, algorithms: ['sha256' as const], ranges: [] }))
    let told = 0
    const found = await hashFiles(root, requests, {
      threads: 2,
      progress: (bytes) => {
        told += bytes
      },
    })
    expect(found.map((f) => f.path)).toEqual(requests.map((r) => r.path))
    expect(found.slice(0, -1).map((f) => f.digests[0]?.hex)).toEqual(Object.values(files).map(sha256))
    expect(found.at(-1)).toMatchObject({ digests: [], failed: 'gone cannot be read: there is no such file or folder' })
    expect(told).toBe(sizes.reduce((a, b) => a + b))
  })

  it('stops when asked to', async () => {
    const root = folderOf({ f: 'x' })
    const options = { threads: 1, progress: () => {}, signal: AbortSignal.abort() }
    await expect(hashFiles(root, [{ path: 'f', algorithms: ['md5'], ranges: [] }], options)).rejects.toMatchObject({ code: 'interrupted' })
  })
})
