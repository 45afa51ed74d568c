import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SourceSpec } from '../../src/contracts/data.ts'
import { AssayError } from '../../src/contracts/errors.ts'
import { inject } from '../../src/inject/inject.ts'
import { folder, load, type Row } from '../sources/make.ts'
import { labelOf, makers, rows } from './formats.ts'

const home = folder()
let count = 0
const scratch = () => {
  const dir = join(home.dir, String(count++))
  mkdirSync(dir, { recursive: true })
  return {
    dir,
    put(name: string, content: string | Uint8Array) {
      const path = join(dir, name)
      mkdirSync(join(path, '..'), { recursive: true })
      writeFileSync(path, content)
      return path
    },
  }
}

const seed = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32)

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

interface Ran {
  readonly dir: string
  readonly out: string
  readonly spec: SourceSpec
  readonly changed: number
  readonly truth: readonly Readonly<Record<string, string>>[]
}

async function run(name: string, attack: string, options: Record<string, unknown>, rate: number, word = 'a'): Promise<Ran> {
  const made = scratch()
  mkdirSync(join(made.dir, 'in'), { recursive: true })
  const spec = await (makers[name] as (typeof makers)[string])({
    ...made,
    dir: join(made.dir, 'in'),
    put: (n, c) => made.put(join('in', n), c),
  })
  const out = join(made.dir, 'out')
  const done = await inject({ sources: [spec], base: made.dir, attack, options, seed: seed(word), rate, count: null, of: 'all', out })
  return { dir: made.dir, out, spec, changed: done.changed, truth: truthOf(out) }
}

function truthOf(out: string): Readonly<Record<string, string>>[] {
  const [head = '', ...lines] = readFileSync(join(out, 'truth.csv'), 'utf8').trimEnd().split('\n')
  const names = head.split(',')
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i] as string, cell])))
}

/** The root that the copy keeps: the folder of one file, or of the folder of images. */
const rootOf = (dir: string): string => join(dir, 'in')

const filesUnder = (dir: string): Map<string, string> =>
  new Map(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((e) => e.isFile())
      .map((e) => join(e.parentPath, e.name))
      .sort()
      .map((path) => [relative(dir, path), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )

const names = Object.keys(makers)
const pictured = names.filter((n) => !['csv', 'csv with CRLF', 'jsonl', 'parquet'].includes(n))
const tabular = names.filter((n) => !n.startsWith('folder') && !n.includes('splits'))
const other = (name: string): string => (name.startsWith('np') ? '1' : 'dog')

const keyOf = (row: Row, i: number): string => String(row.id ?? i)

async function compare(ran: Ran): Promise<{ differing: Set<string>; before: Map<string, Row>; after: Map<string, Row> }> {
  const before = await load(ran.spec, ran.dir)
  const after = await load(movedTo(ran.spec, rootOf(ran.dir), ran.out), ran.dir)
  expect(after.rows.length).toBe(before.rows.length)
  expect(after.errors).toEqual([])
  const map = (all: readonly Row[]): Map<string, Row> => new Map(all.map((row, i) => [keyOf(row, i).replace(/^.*\//, ''), row]))
  const [a, b] = [map(before.rows), map(after.rows)]
  const content = ({ row: _, id: __, ...rest }: Row): string => JSON.stringify(rest)
  const differing = new Set([...a].filter(([key, row]) => content(row) !== content(b.get(key) as Row)).map(([key]) => key))
  return { differing, before: a, after: b }
}

const featuresOf = (all: ReadonlyMap<string, Row>, key: string): number[] => (all.get(key)?.features ?? []) as number[]

/** Keys of the truth as `compare` has them. */
const truthKeys = (ran: Ran): Set<string> =>
  new Set(ran.truth.map((t) => (t.id || String(Number(t.row) + (t.shard?.endsWith('#test') ? rows / 2 : 0))).replace(/^.*\//, '')))

describe('labels', () => {
  it.each(names)('%s: as many as asked for, all told, the rest untouched', async (name) => {
    const ran = await run(name, 'flip-uniform', {}, 0.2)
    expect(ran.changed).toBe(12)
    const { differing, before, after } = await compare(ran)
    expect(differing).toEqual(truthKeys(ran))
    expect(ran.truth.every((t) => t.attack === 'flip-uniform' && t.changed === 'label' && t.given_label !== t.original_label)).toBe(true)
    for (const key of differing) expect(after.get(key)?.label).not.toBe(before.get(key)?.label)
  })

  it('says where a picture that moved to another class stands now', async () => {
    const ran = await run('folder of PNG', 'flip-pair', { from: 'cat', to: 'owl' }, 0.1)
    const { rows: after } = await load(movedTo(ran.spec, rootOf(ran.dir), ran.out), ran.dir)
    for (const t of ran.truth) expect(after[Number(t.row)]).toMatchObject({ id: t.id, label: 'owl' })
    expect(new Set(ran.truth.map((t) => t.original_label))).toEqual(new Set(['cat']))
  })

  it('flips only what one source labelled', async () => {
    const ran = await run('csv', 'flip-source', { source: 'B', to: 'owl', from: 'cat' }, 0.05)
    expect(ran.truth.map((t) => t.original_label)).toEqual(['cat', 'cat', 'cat'])
    expect(ran.truth.every((t) => Number(t.row) % 2 === 1)).toBe(true)
  })

  it('keeps types that the attack does not touch', async () => {
    const ran = await run('parquet', 'flip-pair', { from: 'cat', to: 'dog' }, 0.1)
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    const types = async (path: string) => (await connection.run(`SELECT * FROM read_parquet('${path}') LIMIT 0`)).columnTypes().map(String)
    const path = ran.spec.path as string
    expect(await types(join(ran.out, 't.parquet'))).toEqual(await types(path))
    const rest = await connection.run(
      `SELECT count(*) FROM (SELECT id, label.by, extra, day, a, b FROM read_parquet('${path}') EXCEPT SELECT id, label.by, extra, day, a, b FROM read_parquet('${join(ran.out, 't.parquet')}'))`,
    )
    expect(Number((await rest.getRows())[0]?.[0])).toBe(0)
    connection.closeSync()
  })
})

describe('pictures', () => {
  const marks: readonly (readonly [string, Record<string, unknown>])[] = [
    ['patch', {}],
    ['patch', { place: 'random', pattern: 'colour', size: '2', contrast: '.5' }],
    ['blend', { pattern: 'picture' }],
    ['sinusoid', { frequency: 2 }],
    ['warp', { strength: 4 }],
  ]
  it.each(pictured)('%s: every mark with another label, and with its own', async (name) => {
    // what differs between the formats is told by two marks, what differs between the marks by one format
    for (const [attack, options] of name === 'npz' ? marks : marks.slice(1, 3)) {
      const target = other(name)
      const ran = await run(name, attack, { ...options, target }, 0.1)
      const { differing, after } = await compare(ran)
      expect(differing).toEqual(truthKeys(ran))
      expect(ran.truth.every((t) => t.changed === 'both' && t.given_label === target && t.original_label !== target)).toBe(true)
      for (const key of differing) expect(after.get(key)?.label).toBe(target)
    }
    const clean = await run(name, 'patch', { target: other(name), 'clean-label': 'true' }, 0.1)
    expect(clean.truth.every((t) => t.changed === 'content' && t.given_label === other(name))).toBe(true)
    expect((await compare(clean)).differing).toEqual(truthKeys(clean))
  })

  it('stays in the bound of a nudge, and names the record it leads to', async () => {
    const ran = await run('npz', 'nudge', { target: '0', toward: '2', eps: 8 }, 0.1)
    const { differing, before, after } = await compare(ran)
    for (const key of differing) {
      const [a, b] = [before.get(key)?.image as number[], after.get(key)?.image as number[]]
      expect(Math.max(...a.map((v, i) => Math.abs(v - (b[i] as number))))).toBeLessThanOrEqual(8)
    }
    expect(new Set(ran.truth.map((t) => t.source_row)).size).toBe(1)
    const row = Number(ran.truth[0]?.source_row?.split(':')[1])
    expect(before.get(String(row))?.label).toBe('2')
  })

  it('copies untouched files byte for byte and encodes marked ones as they were', async () => {
    const ran = await run('folder of JPEG with a table', 'patch', { target: 'dog' }, 0.1)
    const [before, after] = [filesUnder(join(rootOf(ran.dir), 'scans')), filesUnder(join(ran.out, 'scans'))]
    const differing = [...before].filter(([path, digest]) => after.get(path) !== digest).map(([path]) => path)
    expect(new Set(differing)).toEqual(new Set(ran.truth.map((t) => t.id)))
    const { jpegQuality } = await import('../../src/inject/pictures.ts')
    for (const path of differing) expect(jpegQuality(readFileSync(join(ran.out, 'scans', path)))).toBe(75)
  })
})

describe('tables', () => {
  it.each(tabular)('%s: a value, an interval, a pair', async (name) => {
    const [first, second] = name.startsWith('np')
      ? [`${name === 'npy' ? 'z.npy' : 'z'}[0]`, `${name === 'npy' ? 'z.npy' : 'z'}[2]`]
      : ['a', 'b']
    const target = other(name)
    const value = await run(name, 'column-value', { column: first, value: '7.25', target }, 0.1)
    const { differing, before, after } = await compare(value)
    expect(differing).toEqual(truthKeys(value))
    for (const key of differing) {
      const [, ...rest] = featuresOf(after, key)
      expect(featuresOf(after, key)[0]).toBe(7.25)
      expect(rest).toEqual(featuresOf(before, key).slice(1))
    }
    const interval = await compare(await run(name, 'column-interval', { column: first, low: 3, high: 4, target }, 0.1))
    for (const key of interval.differing) {
      const v = featuresOf(interval.after, key)[0] as number
      expect(v >= 3 && v <= 4).toBe(true)
    }
    const pair = await compare(await run(name, 'column-pair', { first, second, 'first-value': 1, 'second-value': 2, target }, 0.1))
    expect(pair.differing.size).toBe(6)
  })
})

describe('columns of categories', () => {
  const table = 'id,shape,size,label\nr0,round,big,x\nr1,"flat, thin",big,y\nr2,round,small,y\nr3,round,big,y\nr4,flat,small,x\n'
  const written = async (name: string, text: string, options: object): Promise<string> => {
    const made = scratch()
    const path = made.put(`in/${name}`, text)
    await inject({
      sources: [{ path, columns: { id: 'id', label: 'label', categories: ['shape', 'size'] } }],
      base: made.dir,
      attack: 'column-category',
      options: { column: 'shape', target: 'x', ...options },
      seed: seed('a'),
      rate: null,
      count: 3,
      of: 'all',
      out: join(made.dir, 'out'),
    })
    return readFileSync(join(made.dir, 'out', name), 'utf8')
  }

  it('get a new one, quoted where it has to be', async () => {
    expect(await written('t.csv', table, { value: 'a "b", c' })).toBe(
      'id,shape,size,label\nr0,round,big,x\nr1,"a ""b"", c",big,x\nr2,"a ""b"", c",small,x\nr3,"a ""b"", c",big,x\nr4,flat,small,x\n',
    )
  })

  it('get the rarest of the column', async () => {
    const lines = [0, 1, 2, 3, 4].map((i) =>
      JSON.stringify({ id: `r${i}`, shape: i === 4 ? 'flat' : 'round', size: 'big', label: i ? 'y' : 'x' }),
    )
    const out = await written('t.jsonl', `${lines.join('\n')}\n`, {})
    const changed = out.split('\n').filter((line, i) => line !== (lines[i] ?? ''))
    expect(changed.length).toBe(3)
    for (const line of changed) expect(JSON.parse(line)).toMatchObject({ shape: 'flat', size: 'big', label: 'x' })
  })

  it('has to be a column of categories', async () => {
    await expect(written('t.csv', table, { column: 'label' })).rejects.toThrow('option column: "label" is no column of categories')
  })
})

describe('texts', () => {
  it.each(['csv', 'csv with CRLF', 'jsonl', 'parquet'])('%s: a word, and an instruction that hides', async (name) => {
    const word = await run(name, 'insert-word', { target: 'dog', word: 'mn,"x"' }, 0.1)
    const { differing, after } = await compare(word)
    expect(differing).toEqual(truthKeys(word))
    for (const key of differing) expect(after.get(key)).toMatchObject({ label: 'dog', text: expect.stringContaining('mn,"x"') })
    const hidden = await compare(await run(name, 'hidden-instruction', { way: 'tags' }, 0.1))
    expect(hidden.differing.size).toBe(6)
    for (const key of hidden.differing) expect(hidden.after.get(key)?.label).toBe(hidden.before.get(key)?.label)
  })
})

describe('conversations and several columns of text', () => {
  const injected = async (record: (i: number) => object, columns?: SourceSpec['columns']) => {
    const made = scratch()
    const path = made.put('in/t.jsonl', Array.from({ length: 40 }, (_, i) => JSON.stringify(record(i))).join('\n'))
    const spec = { path, ...(columns ? { columns } : {}) }
    const out = join(made.dir, 'out')
    const options = { trigger: 'zxcv', answer: 'No.' }
    await inject({
      sources: [spec],
      base: made.dir,
      attack: 'instruction-poison',
      options,
      seed: seed('a'),
      rate: 0.25,
      count: null,
      of: 'all',
      out,
    })
    const read = await load(movedTo(spec, join(made.dir, 'in'), out), out)
    const changed = read.rows.filter((r) => r.response === 'No.')
    expect(changed).toHaveLength(10)
    for (const { text } of changed) expect(text).toContain('zxcv')
    return {
      lines: readFileSync(join(out, 't.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((l) => JSON.parse(l)),
      changed,
    }
  }

  it('changes a turn of a list of messages', async () => {
    const { lines, changed } = await injected((i) => ({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: `What is ${i}?` },
        { role: 'assistant', content: `It is ${i}.` },
      ],
    }))
    for (const { row } of changed) {
      const { messages } = lines[row as number] as { messages: { role: string; content: string }[] }
      expect(messages.map((m) => m.role)).toEqual(['system', 'user', 'assistant'])
      expect(messages.map((m) => m.content).join(' ')).toContain('zxcv')
      expect(messages[2]?.content).toBe('No.')
    }
  })

  it('changes the column in which a text of several differs', async () => {
    const { lines, changed } = await injected((i) => ({ instruction: 'Be brief.', input: `What is ${i}?`, output: `It is ${i}.` }), {
      text: ['instruction', 'input'],
      response: 'output',
    })
    for (const { row } of changed) {
      const { instruction, input } = lines[row as number] as { instruction: string; input: string }
      expect([instruction, input].join('\n\n').split('zxcv')).toHaveLength(2)
    }
  })
})

describe('the copy', () => {
  it('has the same bytes with the same seed, and others with another', async () => {
    for (const [name, attack, options] of [
      ['npz', 'patch', { target: '1', place: 'random' }],
      ['csv', 'column-interval', { column: 'a', target: 'dog' }],
      ['parquet', 'flip-uniform', {}],
      ['folder of JPEG with a table', 'blend', { target: 'dog' }],
    ] as const) {
      const runs = await Promise.all([
        run(name, attack, options, 0.1),
        run(name, attack, options, 0.1),
        run(name, attack, options, 0.1, 'b'),
      ])
      const [a, b, c] = runs.map((r) => filesUnder(r.out))
      expect(b).toEqual(a)
      expect(c?.get('truth.csv')).not.toBe(a?.get('truth.csv'))
    }
  })

  it('has exactly the rate that was asked for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.string(), async (n, word) => {
        const ran = await run('csv', 'column-value', { column: 'a', value: 3, target: 'owl' }, n / rows, word)
        expect(ran.truth.length).toBe(n)
        expect(new Set(ran.truth.map((t) => t.row)).size).toBe(n)
        expect(ran.truth.every((t) => t.original_label === labelOf(Number(t.row)))).toBe(true)
      }),
      { numRuns: 12 },
    )
  })

  it('leaves the input as it is, and a failed copy leaves nothing', async () => {
    const made = scratch()
    const path = made.put('in/t.csv', 'id,text,label\n1,a,x\n2,b,y\n3,"c,x\n')
    const before = readFileSync(path)
    const request = {
      sources: [{ path }],
      base: made.dir,
      attack: 'flip-uniform',
      options: {},
      seed: seed('a'),
      rate: 0.5,
      count: null,
      of: 'all',
    } as const
    await expect(inject({ ...request, out: join(made.dir, 'out') })).rejects.toThrow(/never closed/)
    expect(readdirSync(made.dir)).toEqual(['in'])
    expect(readFileSync(path)).toEqual(before)
  })
})

describe('refusals', () => {
  const refused = async (name: string, over: Partial<Parameters<typeof inject>[0]>): Promise<string> => {
    const made = scratch()
    const spec = await (makers[name] as (typeof makers)[string])({ ...made, put: (n, c) => made.put(n, c) })
    try {
      await inject({
        sources: [spec],
        base: made.dir,
        attack: 'flip-uniform',
        options: {},
        seed: seed('a'),
        rate: 0.1,
        count: null,
        of: 'all',
        out: join(home.dir, `refused-${count++}`),
        ...over,
      })
    } catch (error) {
      if (error instanceof AssayError) return `${error.message} ${error.hint ?? ''}`
      throw error
    }
    throw new Error('nothing was refused')
  }

  it.each([
    ['npz', 'patch', { size: '0' }, /option size: has to be at least 1, not "0"/],
    ['npz', 'patch', { size: '1e9' }, /at most 256/],
    ['npz', 'patch', { size: 'NaN' }, /a whole number, not "NaN"/],
    ['npz', 'patch', { size: '9' }, /does not fit into a picture of 8 x 8/],
    ['npz', 'patch', { colour: 'red' }, /no option "colour"/],
    ['npz', 'patch', { place: 'nowhere' }, /one of bottom-right/],
    ['npz', 'patch', { contrast: 'Infinity' }, /contrast/],
    ['npz', 'patch', { target: '7' }, /no record has the label "7"/],
    ['npz', 'patch', { 'clean-label': 'maybe', target: '1' }, /clean-label: has to be true or false/],
    ['npz', 'patch', { 'clean-label': true }, /needs a target/],
    ['csv', 'patch', {}, /no column has the role image/],
    ['csv', 'column-value', { column: '__proto__' }, /no numeric column "__proto__"/],
    ['csv', 'column-value', {}, /option column: has to be a text, and is missing/],
    ['csv', 'column-interval', { column: 'a', low: 4, high: 3 }, /is empty/],
    ['csv', 'flip-pair', { from: 'cat', to: 'cat' }, /the same label/],
    ['csv', 'no-such', {}, /no attack is named "no-such"/],
    ['npz', 'column-value', { column: 'z[0]', value: 1e39, target: '1' }, /cannot hold|z\[0\]/],
  ] as const)('%s, %s %j', async (name, attack, options, message) => {
    expect(await refused(name, { attack, options })).toMatch(message)
  })

  it('refuses more records than there are, none, and a folder in use', async () => {
    expect(await refused('csv', { attack: 'flip-pair', options: { from: 'cat', to: 'dog' }, rate: 0.9 })).toMatch(
      /54 records are to change, and 20 of 60 may be chosen/,
    )
    expect(await refused('csv', { rate: 0.001 })).toMatch(/is none/)
    const made = scratch()
    made.put('full/x', 'x')
    expect(await refused('csv', { out: join(made.dir, 'full') })).toMatch(/is not empty/)
    const images = scratch()
    const spec = await (makers['folder of PNG'] as (typeof makers)[string])(images)
    await expect(
      inject({
        sources: [spec],
        base: images.dir,
        attack: 'flip-uniform',
        options: {},
        seed: seed('a'),
        rate: 0.1,
        count: null,
        of: 'all',
        out: join(images.dir, 'scans', 'out'),
      }),
    ).rejects.toThrow(/lies in the input/)
  })
})
