import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { SourceSpec } from '../../src/contracts/data.ts'
import { clean } from '../../src/review/clean.ts'
import { openReview } from '../../src/review/review.ts'
import { labelOf, makers, rows as total } from '../inject/formats.ts'
import { folder, load, type Row } from '../sources/make.ts'
import { makeRun, now } from './make-run.ts'

const home = folder()
let count = 0

interface Made {
  readonly dir: string
  readonly runDir: string
  readonly spec: SourceSpec
  readonly before: readonly Row[]
  readonly decisions: string
}

const decided = { confirm: [3, 10, 59], relabel: [20], dismiss: [31, 32] } as const

/** A reviewed run over one of the formats: three confirmed, one relabelled, two dismissed. `row` is that of all shards together. */
async function reviewed(name: string): Promise<Made> {
  const dir = join(home.dir, String(count++))
  const inside = join(dir, 'in')
  mkdirSync(inside, { recursive: true })
  const put = (file: string, content: string | Uint8Array): string => {
    const path = join(inside, file)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, content)
    return path
  }
  const spec = await (makers[name] as (typeof makers)[string])({ dir: inside, put })
  const before = await load(spec, dir)
  const numbers = name.startsWith('np')
  const shards = before.listing.shards
  const places = shards.flatMap((s) => Array.from({ length: s.expectedRows ?? total }, (_, row) => ({ shard: s.id, row })))
  const runDir = join(dir, 'run')
  const flagged = [...decided.confirm, ...decided.relabel, ...decided.dismiss]
  const label = (i: number) => String(before.rows[i]?.label)
  await makeRun({
    dir: runDir,
    base: dir,
    sources: [spec],
    labels: numbers ? ['0', '1', '2'] : ['cat', 'dog', 'owl'],
    flags: flagged.map((i, k) => ({
      id: null,
      ...(places[i] as { shard: string; row: number }),
      score: 0.9 - k / 100,
      given: label(i),
      suggested: null,
    })),
  })
  const review = await openReview({ runDir, reviewer: 'Ada', port: 0, now: () => now })
  for (const [k, i] of flagged.entries()) {
    const decision = decided.confirm.includes(i as 3) ? 'confirm' : decided.relabel.includes(i as 20) ? 'relabel' : 'dismiss'
    const to = numbers ? '0' : 'cat'
    await review.desk.decide({
      target: { kind: 'record', at: k },
      decision,
      label: decision === 'relabel' ? to : null,
      note: k === 0 ? 'two readers' : null,
    })
  }
  await review.close()
  return { dir, runDir, spec, before: before.rows, decisions: join(runDir, 'decisions.jsonl') }
}

/** The same source in another folder. */
function movedTo(spec: SourceSpec, from: string, to: string): SourceSpec {
  const place = (path: string): string => join(to, relative(from, path))
  return {
    ...spec,
    ...(typeof spec.path === 'string' ? { path: place(spec.path) } : {}),
    ...(spec.labels ? { labels: place(spec.labels) } : {}),
    ...(spec.arrays && spec.path === undefined
      ? { arrays: Object.fromEntries(Object.entries(spec.arrays).map(([r, p]) => [r, place(p)])) }
      : {}),
  }
}

const request = (made: Made, more: Partial<Parameters<typeof clean>[0]> = {}) => ({
  runDir: made.runDir,
  decisions: made.decisions,
  sources: null,
  base: null,
  out: join(made.dir, 'out'),
  applyLabels: false,
  onlyDismissed: false,
  ...more,
})

/** Rows without their position, sorted by nothing: order counts. */
const contents = (all: readonly Row[]): readonly string[] => all.map(({ row: _, ...rest }) => JSON.stringify(rest))
const filesUnder = (dir: string): readonly (readonly [string, string])[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name))
    .sort()
    .map((path) => [relative(dir, path), createHash('sha256').update(readFileSync(path)).digest('hex')])

describe('a clean copy', () => {
  it.each(Object.keys(makers))('%s: lacks what was confirmed or relabelled, and nothing else', async (name) => {
    const made = await reviewed(name)
    const inputs = filesUnder(join(made.dir, 'in'))
    const done = await clean(request(made))
    expect(done).toMatchObject({ kept: total - 4, removed: 4, relabelled: 0 })
    const after = await load(movedTo(made.spec, join(made.dir, 'in'), join(made.dir, 'out')), made.dir)
    expect(after.errors).toEqual([])
    const gone: readonly number[] = [...decided.confirm, ...decided.relabel]
    expect(contents(after.rows)).toEqual(contents(made.before.filter((_, i) => !gone.includes(i))))
    expect(filesUnder(join(made.dir, 'in'))).toEqual(inputs)
    const removed = readFileSync(join(made.dir, 'out', 'removed.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l))
    expect(removed.map((r) => [r.reason, r.reviewer]).sort()).toEqual([...Array(3).fill(['confirmed poison', 'Ada']), ['relabel', 'Ada']])
    const sums = readFileSync(join(made.dir, 'out', 'SHA256SUMS'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((l) => l.split('  '))
    expect(new Map(sums.map(([hex, file]) => [file, hex]))).toEqual(
      new Map(filesUnder(join(made.dir, 'out')).filter(([f]) => f !== 'SHA256SUMS')),
    )
  })

  it.each(Object.keys(makers))('%s: keeps relabelled records with their label where asked', async (name) => {
    const made = await reviewed(name)
    const to = name.startsWith('np') ? '0' : 'cat'
    const done = await clean(request(made, { applyLabels: true }))
    expect(done).toMatchObject({ kept: total - 3, removed: 3, relabelled: 1 })
    const after = await load(movedTo(made.spec, join(made.dir, 'in'), join(made.dir, 'out')), made.dir)
    const gone: readonly number[] = decided.confirm
    const expected = made.before.flatMap((row, i) => (gone.includes(i) ? [] : [i === 20 ? { ...row, label: to } : row]))
    // A picture that has another label lies in another folder, and is called by it.
    const named = (all: readonly Row[]) =>
      name === 'folder of PNG' ? all.map(({ id, ...rest }) => ({ ...rest, id: String(id).replace(/^.*\//, '') })) : all
    expect([...contents(named(after.rows))].sort()).toEqual([...contents(named(expected))].sort())
  })

  // A split of which nothing is left has no columns that could be guessed.
  it.each(Object.keys(makers).filter((name) => name !== 'npz with splits'))(
    '%s: holds only what was dismissed, where a reference is asked for',
    async (name) => {
      const made = await reviewed(name)
      expect(await clean(request(made, { onlyDismissed: true }))).toMatchObject({ kept: 2, removed: total - 2 })
      const after = await load(movedTo(made.spec, join(made.dir, 'in'), join(made.dir, 'out')), made.dir)
      expect(contents(after.rows)).toEqual(contents(made.before.filter((_, i) => i === 31 || i === 32)))
    },
  )

  it('keeps the bytes of every line that stays', async () => {
    for (const name of ['csv', 'csv with CRLF', 'jsonl']) {
      const made = await reviewed(name)
      await clean(request(made))
      const file = name === 'jsonl' ? 't.jsonl' : 't.csv'
      const lines = (folder: string): readonly string[] => readFileSync(join(made.dir, folder, file), 'latin1').split('\n')
      const [before, after] = [lines('in'), lines('out')]
      expect(before.filter((line) => !after.includes(line)).length).toBe(4)
      expect(after.filter((line) => !before.includes(line))).toEqual([])
    }
  })

  it('has the same bytes again', async () => {
    const made = await reviewed('npz')
    await clean(request(made))
    await clean(request(made, { out: join(made.dir, 'again') }))
    expect(filesUnder(join(made.dir, 'again'))).toEqual(filesUnder(join(made.dir, 'out')))
  })
})

describe('refused', () => {
  it('data that are not what the run audited, also where only the order differs', async () => {
    const made = await reviewed('csv')
    const path = join(made.dir, 'in', 't.csv')
    const [head, first, second, ...rest] = readFileSync(path, 'utf8').split('\n')
    writeFileSync(path, [head, second, first, ...rest].join('\n'))
    await expect(clean(request(made))).rejects.toThrow(/is not the file that the run audited/)
    expect(readdirSync(made.dir).sort()).toEqual(['in', 'run'])
  })

  it('an output in the input or over something, decisions of another run, and nothing to do', async () => {
    const [made, other] = [await reviewed('csv'), await reviewed('jsonl')]
    await expect(clean(request(made, { out: join(made.dir, 'in', 'out', '..') }))).rejects.toThrow(/is not empty|lies in the input/)
    await expect(clean(request(made, { out: join(made.dir, 'run') }))).rejects.toThrow(/is not empty/)
    const images = await reviewed('folder of PNG')
    await expect(clean(request(images, { out: join(images.dir, 'in', 'scans', 'out') }))).rejects.toThrow(/lies in the input/)
    await expect(clean(request(made, { decisions: other.decisions }))).rejects.toThrow(/is about another run/)
    await expect(clean(request(made, { decisions: join(made.dir, 'none.jsonl') }))).rejects.toThrow(/no record is confirmed/)
  })

  it('a decision whose record is another one', async () => {
    const made = await reviewed('csv')
    const lines = readFileSync(made.decisions, 'utf8')
    writeFileSync(made.decisions, lines.replace('"row":10,', '"row":11,'))
    await expect(clean(request(made))).rejects.toThrow(/row 11 is not the record that was decided on/)
    expect(readdirSync(made.dir).sort()).toEqual(['in', 'run'])
    writeFileSync(made.decisions, lines.replace('"row":59,', '"row":1059,'))
    await expect(clean(request(made))).rejects.toThrow(/1 of the records that were decided on are not in the data/)
  })

  it('reads the same data in another place', async () => {
    const made = await reviewed('csv')
    renameSync(join(made.dir, 'in'), join(made.dir, 'moved'))
    const path = join(made.dir, 'moved', 't.csv')
    expect(await clean(request(made, { sources: [{ ...made.spec, path }], base: join(made.dir, 'moved') }))).toMatchObject({ removed: 4 })
    expect(labelOf(0)).toBe('cat')
  })
})
