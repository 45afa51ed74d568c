import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { assay } from './harness.ts'

const dir = mkdtempSync(join(tmpdir(), 'assay-snapshot-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const at = (name: string): string => join(dir, name)
const rows = (n: number, from = 0): string => Array.from({ length: n }, (_, i) => `r${from + i},class ${i % 3},text ${i}\n`).join('')
const json = async (...argv: string[]) => {
  const ran = await assay(['snapshot', ...argv, '--json'])
  return { ...ran, header: (ran.code === 0 || ran.code === 2 ? JSON.parse(ran.stdout) : null) as Record<string, never> | null }
}

beforeAll(async () => {
  writeFileSync(at('a.csv'), `id,label,text\n${rows(60)}`)
  writeFileSync(at('b.csv'), `id,label,text\n${rows(40, 60)}`)
  await assay(['keygen', '--out', at('data')])
  await assay(['keygen', '--out', at('other')])
})

describe('assay snapshot', { timeout: 60_000 }, () => {
  test('says what it saw, and never overwrites', async () => {
    const ran = await assay(['snapshot', at('a.csv'), '--out', at('first')])
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    expect(ran.stdout).toMatch(/60 records in 1 shard/)
    expect(ran.stdout).toMatch(/id <- id, label <- label/)
    expect(ran.stdout).toMatch(/class 0 20, class 1 20, class 2 20/)
    expect(ran.stdout).toMatch(/a cell of CSV as text/)
    const again = await assay(['snapshot', at('a.csv'), '--out', at('first')])
    expect([again.code, again.stderr]).toEqual([4, expect.stringContaining('is there already')])
    expect((await assay(['snapshot', at('a.csv')])).stderr).toContain('--out names a folder')
    expect(readdirSync(dir).filter((n) => n.endsWith('.tmp'))).toEqual([])
  })

  test('does not read unchanged shards again, and chains', async () => {
    const one = await json(at('a.csv'), at('b.csv'), '--out', at('day1'))
    appendFileSync(at('b.csv'), 'new,class 0,x\n')
    const two = await json(at('a.csv'), at('b.csv'), '--out', at('day2'), '--previous', at('day1'))
    expect(two.header).toMatchObject({
      records: 101,
      reused: { shards: 1, rows: 60 },
      previous: { root: (one.header as { roots?: { records: string } } | null)?.roots?.records },
    })
    const fresh = await json(at('a.csv'), at('b.csv'), '--out', at('day2-fresh'))
    expect((two.header as never as { roots: object }).roots).toEqual((fresh.header as never as { roots: object }).roots)
    // other columns: nothing of it can be taken over
    const other = await assay(['snapshot', at('a.csv'), '--out', at('x1'), '--previous', at('day2'), '--label', 'text'])
    expect([other.code, other.stderr]).toEqual([
      4,
      expect.stringContaining('the label column is "text", that of the snapshot before is "label"'),
    ])
    const ignoring = await json(at('a.csv'), at('b.csv'), '--out', at('x2'), '--previous', at('day2'), '--ignore', 'text')
    expect(ignoring.header).toMatchObject({ reused: { shards: 0, rows: 0 } })
  })

  test('an unchanged shard is indeed not read: its taken-over leaves must be whole', async () => {
    cpSync(at('day1'), at('day1-bad'), { recursive: true })
    const segments = at('day1-bad/segments')
    for (const name of readdirSync(segments)) {
      const bytes = readFileSync(join(segments, name))
      bytes[5000] = (bytes[5000] as number) ^ 1
      rmSync(join(segments, name))
      writeFileSync(join(segments, name), bytes)
    }
    const ran = await assay(['snapshot', at('a.csv'), '--out', at('x3'), '--previous', at('day1-bad')])
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('it was changed')])
    expect(existsSync(at('x3'))).toBe(false)
  })

  test('snapshots of parts are put together as if they had been taken together', async () => {
    await json(at('a.csv'), '--out', at('part-a'))
    await json(at('b.csv'), '--out', at('part-b'))
    const merged = await json(at('part-b'), at('part-a'), '--out', at('merged'))
    const whole = await json(at('a.csv'), at('b.csv'), '--out', at('whole'))
    const { roots } = merged.header as never as { roots: object }
    expect(roots).toEqual((whole.header as never as { roots: object }).roots)
    expect((await assay(['snapshot', at('part-a'), at('part-a'), '--out', at('x4')])).stderr).toContain('is in another of the snapshots')
  })

  test('rows that cannot be read make it incomplete, and it says so', async () => {
    writeFileSync(at('ragged.csv'), 'id,label,text\n1,a,b\n2,a\n3,b,c\n')
    const ran = await assay(['snapshot', at('ragged.csv'), '--out', at('ragged')])
    expect([ran.code, ran.stdout]).toEqual([2, expect.stringMatching(/incomplete: .*1 row could not be read/)])
    writeFileSync(at('empty.csv'), 'id,label,text\n')
    expect((await assay(['snapshot', at('empty.csv'), '--out', at('x5')])).code).toBe(3)
  })

  test('a schema is suggested, and taken from a file', async () => {
    writeFileSync(at('typed.jsonl'), '{"id":"1","label":"a","n":1,"v":[1.5,2]}\n{"id":"2","label":"b","n":2,"v":[0,1]}\n')
    writeFileSync(at('typed.csv'), 'id,label,n,v\n1,a,01,"[1.5, 2.0]"\n2,b,2.0,"[0,1]"\n')
    const printed = await assay(['snapshot', at('typed.jsonl'), '--print-schema'])
    expect([printed.code, printed.stdout]).toEqual([0, expect.stringMatching(/n: int64\n {2}v: float64\[2\]/)])
    writeFileSync(at('schema.yaml'), printed.stdout)
    const of = async (file: string, out: string) =>
      (await json(at(file), '--schema', at('schema.yaml'), '--out', at(out))).header as never as { roots: { records: string } }
    expect((await of('typed.csv', 't1')).roots.records).toBe((await of('typed.jsonl', 't2')).roots.records)
    writeFileSync(at('bad.yaml'), 'columns:\n  n: integer\n')
    const bad = await assay(['snapshot', at('typed.csv'), '--schema', at('bad.yaml'), '--out', at('x6')])
    expect([bad.code, bad.stderr]).toEqual([4, expect.stringMatching(/bad\.yaml:2: columns\.n: "integer" is no type/)])
  })

  test('columns are named, or said not to be there', async () => {
    const { header } = await json(at('a.csv'), '--id', 'none', '--source', 'label', '--label', 'none', '--out', at('named'))
    expect(header).toMatchObject({ columns: { id: null, label: null, source: 'label', time: null }, records: 60 })
    const missing = await assay(['snapshot', at('a.csv'), '--ignore', 'nothing', '--out', at('x7')])
    expect([missing.code, missing.stderr]).toEqual([4, expect.stringContaining('no column "nothing"')])
  })

  test('a key of the digests comes from the environment', async () => {
    const args = ['snapshot', at('a.csv'), '--key-env', 'SECRET', '--out', at('keyed'), '--json']
    expect((await assay(args)).code).toBe(4)
    const ran = await assay(args, { env: { SECRET: 's3cret' } })
    expect(JSON.parse(ran.stdout)).toMatchObject({ keyed: true, records: 60 })
    expect(readFileSync(at('keyed/snapshot.json'), 'utf8')).not.toContain('s3cret')
    const other = await assay(['snapshot', at('a.csv'), '--previous', at('keyed'), '--out', at('x8')])
    expect([other.code, other.stderr]).toEqual([4, expect.stringContaining('another key')])
  })
})

describe('a signed chain', { timeout: 60_000 }, () => {
  const verify = (...argv: string[]) => assay(['verify', ...argv])

  beforeAll(async () => {
    for (const [i, name] of ['n1', 'n2', 'n3'].entries()) {
      writeFileSync(at('night.csv'), `id,label,text\n${rows(20 + i)}`)
      const previous = i === 0 ? [] : ['--previous', at(`chain/n${i}`)]
      await json(at('night.csv'), '--out', at(`chain/${name}`), '--sign', at('data.key'), ...previous)
    }
  })

  test('is followed back to its beginning', async () => {
    const ran = await verify(at('chain/n3'), '--chain', '--key', at('data.pub'), '--json')
    const { intact, links } = JSON.parse(ran.stdout) as { intact: boolean; links: { records: number; signature: { status: string } }[] }
    expect([ran.code, intact, links.map((l) => [l.records, l.signature.status])]).toEqual([
      0,
      true,
      [
        [22, 'trusted'],
        [21, 'trusted'],
        [20, 'trusted'],
      ],
    ])
    expect((await verify(at('chain/n3'), '--key', at('other.pub'))).code).toBe(1)
    expect((await verify(at('chain/n3'))).code).toBe(0)
  })

  test('breaks where a snapshot is missing, replaced or unsigned', async () => {
    renameSync(at('chain/n2'), at('gone'))
    const missing = await verify(at('chain/n3'), '--chain', '--key', at('data.pub'))
    expect([missing.code, missing.stdout]).toEqual([
      1,
      expect.stringMatching(/problem: .*n3: the snapshot before it .* was removed or changed/),
    ])
    // somebody makes another one in its place, with another past
    await json(at('a.csv'), '--out', at('chain/n2'), '--previous', at('chain/n1'), '--sign', at('data.key'))
    expect((await verify(at('chain/n3'), '--chain', '--key', at('data.pub'))).code).toBe(1)
    rmSync(at('chain/n2'), { recursive: true })
    renameSync(at('gone'), at('chain/n2'))
    const signature = readFileSync(at('chain/n2/snapshot.dsse.json'))
    rmSync(at('chain/n2/snapshot.dsse.json'))
    const unsigned = await verify(at('chain/n3'), '--chain', '--key', at('data.pub'))
    expect([unsigned.code, unsigned.stdout]).toEqual([1, expect.stringMatching(/n2: is not signed/)])
    cpSync(at('chain/n1/snapshot.dsse.json'), at('chain/n2/snapshot.dsse.json'))
    expect((await verify(at('chain/n3'), '--chain')).stdout).toContain('The signature is over another snapshot.')
    writeFileSync(at('chain/n2/snapshot.dsse.json'), signature)
    expect((await verify(at('chain/n3'), '--chain', '--key', at('data.pub'))).code).toBe(0)
  })

  test('a header that was edited is damaged, or its signature does not hold', async () => {
    const file = at('chain/n3/snapshot.json')
    const text = readFileSync(file, 'utf8')
    for (const [from, to, code] of [
      ['"records": 22', '"records": 21', 2],
      ['"createdAt": "2026', '"createdAt": "2025', 1],
    ] as const) {
      expect(text).toContain(from)
      writeFileSync(file, text.replace(from, to))
      expect((await verify(at('chain/n3'), '--key', at('data.pub'))).code).toBe(code)
    }
    writeFileSync(file, text)
  })
})
