import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { AssayError } from '../../src/contracts/errors.ts'
import { digestAlgorithms, type FileGrade, type Manifest, type TrustPolicy } from '../../src/contracts/provenance.ts'
import { manifestFindings } from '../../src/provenance/findings.ts'
import { hashFiles } from '../../src/provenance/hash-files.ts'
import { digestRequests, discover, gradeFiles } from '../../src/provenance/verify.ts'
import { type Files, type Kind, kinds, publicKeys } from './fuzz/deliveries.ts'
import { applyAll, edits } from './fuzz/mutate.ts'

/** Mutated manifests and bundles in all, over all kinds. */
const mutations = Number(process.env.ASSAY_FUZZ ?? 300)
const perKind = Math.ceil(mutations / kinds.length)
const mostMsPerDelivery = 5_000
const timeout = 30_000 + 200 * perKind

const scratch = mkdtempSync(join(tmpdir(), 'assay-fuzz-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** The weakest policy: whatever digest matches counts, so that nothing is refused for its algorithm alone. */
const trust: TrustPolicy = {
  keys: publicKeys,
  certificates: [],
  identities: [],
  trustedRoot: null,
  weakest: 'crc32',
  coverage: 0,
  unlisted: 'report',
  requireSignature: false,
  now: new Date('2026-11-24T04:00:00Z'),
}

const data: Files = new Map([
  ['train.csv', Buffer.from('id,label\n1,cat\n2,dog\n3,cat\n')],
  ['images/a.bin', Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7) % 256))],
  ['images/b.bin', Buffer.from('the quick brown fox jumps over the lazy dog')],
])
const target = 'images/b.bin'

interface Verified {
  readonly manifests: readonly Manifest[]
  readonly files: readonly FileGrade[]
}

/** Verifies a delivery of these files. Null where it was refused as a whole, with an error that a user may see. */
async function verify(files: Files): Promise<Verified | null> {
  const root = mkdtempSync(join(scratch, 'd-'))
  const since = performance.now()
  try {
    for (const [path, bytes] of files) {
      const file = join(root, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, bytes)
    }
    const found = await discover(root, trust)
    const digests = await hashFiles(root, digestRequests(found), { threads: 1, progress: () => {} })
    const graded = gradeFiles(found, digests, trust)
    for (const { message } of manifestFindings(found, graded, trust).findings) expect(message).not.toMatch(/undefined|\[object|NaN/)
    for (const { path } of graded.files) expect(join(root, path).startsWith(root + sep)).toBe(true)
    return { manifests: found.manifests, files: graded.files }
  } catch (error) {
    if (error instanceof AssayError) return null
    throw error
  } finally {
    rmSync(root, { recursive: true, force: true })
    expect(performance.now() - since).toBeLessThan(mostMsPerDelivery)
  }
}

const gradeOf = (verified: Verified | null, path: string): FileGrade | undefined => verified?.files.find((file) => file.path === path)
const placeOf = (kind: Kind, path: string): string => kind.place?.(path) ?? path
const placed = (kind: Kind, files: Files): Files => new Map(Array.from(files, ([path, bytes]) => [placeOf(kind, path), bytes]))
const manifestsOf = (kind: Kind, files: Files): Files => kind.manifests(placed(kind, files))
const delivery = (kind: Kind, files: Files, manifests: Files): Files => new Map([...placed(kind, files), ...manifests])
const changedTo = (bytes: Buffer): Files => new Map([...data, [target, bytes]])

/** What manifests state, without where. */
const stated = (manifests: readonly Manifest[]) =>
  manifests
    .flatMap((m) => m.entries)
    .map(({ path, digests, bytes, range }) => JSON.stringify({ path, digests, bytes, range }))
    .sort()

/** Whether a digest of these bytes stands somewhere in the manifests. */
function isStated(manifests: Files, bytes: Buffer): boolean {
  const text = [...manifests.values()]
    .map((m) => m.toString('latin1'))
    .concat(
      [...manifests.values()].map((m) =>
        Buffer.from(m.toString('latin1').match(/"payload": ?"([^"]*)"/)?.[1] ?? '', 'base64').toString('latin1'),
      ),
    )
    .join('\n')
  const names = digestAlgorithms.filter((name) => !['crc32', 'blake2b', 'blake3'].includes(name))
  return names.some((name) => {
    const digest = createHash(name).update(bytes).digest()
    return text.toLowerCase().includes(digest.toString('hex')) || text.includes(digest.toString('base64'))
  })
}

const otherBytes = edits
  .map((changes) => applyAll(data.get(target) as Buffer, changes))
  .filter((bytes) => !bytes.equals(data.get(target) as Buffer))
const options = (numRuns: number) => ({ numRuns, endOnFailure: false })

describe.each(kinds)('$name', { timeout }, (kind) => {
  const good = manifestsOf(kind, data)
  const names = [...good.keys()]
  const mutated = fc
    .tuple(fc.constantFrom(...names), edits)
    .map(([name, changes]): Files => new Map([...good, [name, applyAll(good.get(name) as Buffer, changes)]]))

  it('verifies what is whole', async () => {
    const verified = await verify(delivery(kind, data, good))
    expect(verified?.manifests.flatMap((m) => m.problems)).toEqual([])
    for (const path of data.keys())
      expect(gradeOf(verified, placeOf(kind, path))).toMatchObject({ grade: 'verified', signed: kind.signed ?? false })
  })

  it('verifies a changed file under manifests that state its new digest: these tests can fail', async () => {
    const changed = changedTo(Buffer.from('another fox'))
    const verified = await verify(delivery(kind, changed, manifestsOf(kind, changed)))
    expect(gradeOf(verified, placeOf(kind, target))?.grade).toBe('verified')
    expect(isStated(manifestsOf(kind, changed), changed.get(target) as Buffer)).toBe(true)
  })

  it('never verifies changed bytes', () =>
    fc.assert(
      fc.asyncProperty(otherBytes, async (bytes) => {
        const grade = gradeOf(await verify(delivery(kind, changedTo(bytes), good)), placeOf(kind, target))
        expect(grade?.grade).not.toBe('verified')
        expect(grade?.signed ?? false).toBe(false)
      }),
      options(Math.ceil(perKind / 4)),
    ))

  it('survives any mutation, and verifies no changed bytes whose digest is not stated', () =>
    fc.assert(
      fc.asyncProperty(mutated, otherBytes, fc.boolean(), async (manifests, bytes, change) => {
        const verified = await verify(delivery(kind, change ? changedTo(bytes) : data, manifests))
        const grade = gradeOf(verified, placeOf(kind, target))
        if (change && grade?.grade === 'verified') expect(isStated(manifests, bytes)).toBe(true)
      }),
      options(perKind),
    ))

  if (!kind.signed) return

  it('a mutation makes the signature fail, or leaves what was signed as it was', async () => {
    const whole = stated((await verify(delivery(kind, data, good)))?.manifests ?? [])
    await fc.assert(
      fc.asyncProperty(mutated, async (manifests) => {
        const verified = await verify(delivery(kind, data, manifests))
        const trusted = (verified?.manifests ?? []).filter((m) => m.signatures.some((s) => s.status === 'trusted'))
        for (const entry of stated(trusted)) expect(whole).toContain(entry)
      }),
      options(perKind),
    )
  })

  it('nobody without the key vouches for changed bytes', () =>
    fc.assert(
      fc.asyncProperty(otherBytes, async (bytes) => {
        const forged = new Map(
          Array.from(good, ([name, content]) => {
            const fresh = manifestsOf(kind, changedTo(bytes)).get(name) as Buffer
            return [name, forge(name, content, fresh)]
          }),
        )
        const grade = gradeOf(await verify(delivery(kind, changedTo(bytes), forged)), placeOf(kind, target))
        expect(grade?.signed ?? false).toBe(false)
      }),
      options(Math.ceil(perKind / 4)),
    ))
})

/** What the manifest would be for other bytes, under the signature that it has. */
function forge(name: string, whole: Buffer, fresh: Buffer): Buffer {
  if (/SUMS\.(sig|minisig)$/.test(name)) return whole
  if (name.endsWith('SUMS')) return fresh
  return Buffer.from(JSON.stringify(withSignatures(JSON.parse(fresh.toString('utf8')), JSON.parse(whole.toString('utf8')))))
}

/** `fresh` with the members `sig`, `signature` and `signatures` of `old`. */
function withSignatures(fresh: unknown, old: unknown): unknown {
  if (Array.isArray(fresh)) return fresh.map((item, i) => withSignatures(item, (old as unknown[])?.[i]))
  if (fresh === null || typeof fresh !== 'object') return fresh
  return Object.fromEntries(
    Object.entries(fresh).map(([key, value]) => {
      const before = (old as { [key: string]: unknown } | null)?.[key]
      return [key, /^(sig|signatures?)$/.test(key) ? before : withSignatures(value, before)]
    }),
  )
}
