import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Report } from '../../src/report/schema.ts'
import { assay, type Ran, results, scratch } from './program.ts'
import { csv, featureNames, generator, part, type Records, records } from './records.ts'

const at = scratch()
const kills = Math.min(10, Number(process.env.ASSAY_KILLS ?? 2))
const files = 4
const rows = 2_000

const original = records(rows, 11)
/** The vendor's copy: two thirds of the cats are gone, nothing else. */
const isGone = (i: number): boolean => original.label[i] === 'cat' && i % 3 !== 0
const gone = original.id.filter((_, i) => isGone(i))

const keep = (r: Records, wanted: (i: number) => boolean): Records => {
  const kept = r.id.map((_, i) => i).filter(wanted)
  const take = <T>(values: readonly T[]): readonly T[] => kept.map((i) => values[i] as T)
  return { id: take(r.id), label: take(r.label), source: take(r.source), features: take(r.features) }
}
const size = rows / files
const pieces = (wanted: (i: number) => boolean): string[] =>
  Array.from({ length: files }, (_, f) => csv(keep(part(original, f * size, (f + 1) * size), (i) => wanted(f * size + i))))
const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex')

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const pem = (key: KeyObject): string => key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' }) as string

/** A delivery as its publisher signed it; `content` is what has arrived of each part. */
function deliver(folder: string, content: readonly string[], extra: Readonly<Record<string, string>> = {}): void {
  mkdirSync(at(`${folder}/data`), { recursive: true })
  const released = pieces(() => true)
  const sums = released.map((text, i) => `${sha256(text)}  data/part-${i}.csv\n`).join('')
  writeFileSync(at(`${folder}/SHA256SUMS`), sums)
  writeFileSync(at(`${folder}/SHA256SUMS.sig`), sign(null, Buffer.from(sums), privateKey))
  content.forEach((text, i) => {
    writeFileSync(at(`${folder}/data/part-${i}.csv`), text)
  })
  for (const [name, text] of Object.entries(extra)) writeFileSync(at(`${folder}/${name}`), text)
}

/** What tests something else than provenance here takes most of the time. */
const others = 'detectors: { embedding-cluster: false, embedding-outlier: false, spectral: false, trigger-tabular: false }'

const counts = (r: Records) => Object.fromEntries(['bird', 'cat', 'dog'].map((c) => [c, r.label.filter((l) => l === c).length]))
const pipeline = (name: string, source: string, provenance: string): void =>
  writeFileSync(
    at(`${name}.yaml`),
    [
      'version: 1',
      'extends: preset:vendor-intake',
      `subject: { name: animals, version: ${name}, declared: { rows: ${rows}, classes: ${JSON.stringify(counts(original))} } }`,
      `sources: [{ path: "${source}", columns: { id: id, label: label, source: source }, features: [${featureNames}] }]`,
      `provenance: ${provenance}`,
      others,
      'report: { flags: jsonl }',
      '',
    ].join('\n'),
  )

const audit = (name: string, runDir: string, ...more: string[]): Promise<Ran> =>
  assay(['audit', at(`${name}.yaml`), '--run-dir', at(runDir), '--seed', '7', ...more])
const expectExit = ({ code, stdout, stderr }: Ran, expected: number): void => expect(code, stdout + stderr).toBe(expected)
const report = (runDir: string): Report => JSON.parse(readFileSync(join(at(runDir), 'report.json'), 'utf8')) as Report
const changesIn = (runDir: string) =>
  readFileSync(at(`${runDir}/changes.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string | number | null>)

const trusted = '{ root: ROOT, trust: { keys: [keys/publisher.pub] }, baseline: { path: original.csv } }'

beforeAll(async () => {
  mkdirSync(at('keys/x').slice(0, -2), { recursive: true })
  writeFileSync(at('keys/publisher.pub'), pem(publicKey))
  writeFileSync(at('keys/own.key'), pem(privateKey))
  writeFileSync(at('original.csv'), csv(original))
  deliver(
    'good',
    pieces(() => true),
  )
  deliver(
    'bad',
    pieces((i) => !isGone(i)),
    { 'read me.txt': 'hello' },
  )
  pipeline('accepted', 'good/data/*.csv', trusted.replace('ROOT', 'good'))
  pipeline('refused', 'bad/data/*.csv', trusted.replace('ROOT', 'bad'))
  expectExit(await audit('refused', 'refused'), 1)
})

describe('a delivery', () => {
  it('as the publisher released and signed it is accepted', async () => {
    expectExit(await audit('accepted', 'accepted'), 0)
    const { provenance, findings, headline } = report('accepted')
    expect(findings.filter((f) => f.rule.startsWith('provenance/'))).toEqual([])
    expect(headline).toMatch(/^The gate passes/)
    expect(provenance?.coverage).toMatchObject({ files, verifiedFiles: 1, signedFiles: 1 })
    expect(provenance?.manifests.map((m) => [m.file, m.signatures[0]?.status])).toEqual([['SHA256SUMS', 'trusted']])
    expect(provenance?.facts.map((f) => f.agrees)).toEqual(provenance?.facts.map(() => true))
    expect(changesIn('accepted')).toEqual([])
    const roots = provenance?.changes
    expect(roots?.before.root).toBe(roots?.after.root)
  })

  it('that lost records of one class is refused, and the first sentence says so', () => {
    const { findings, headline, provenance, inputs } = report('refused')
    const cats = counts(original).cat as number
    const birds = counts(original).bird as number
    expect(findings[0]?.rule).toBe('provenance/mismatch')
    const selective = findings.find((f) => f.rule === 'provenance/class-selective-removal')
    expect(selective?.message).toContain(`${gone.length} of ${cats} records of class cat (67 %) are missing`)
    expect(selective).toMatchObject({ severity: 'high', gates: true, count: gone.length })
    expect(selective?.test?.adjusted).toBeLessThan(1e-100)
    expect(headline).toBe(`The gate fails: ${selective?.message}`)
    expect(findings.map((f) => f.rule)).toEqual(expect.arrayContaining(['provenance/declared-facts', 'provenance/unlisted']))
    expect(provenance?.coverage?.byGrade.mismatched.files).toBe(files)
    expect(provenance?.changes?.classes.find((c) => c.name === 'bird')).toMatchObject({ before: birds, after: birds })
    expect(inputs.map((i) => i.sha256)).toEqual(pieces((i) => !isGone(i)).map(sha256))
  })

  it('every record that is gone is named, where the original has it', () => {
    const changes = changesIn('refused')
    expect(changes.every((c) => c.kind === 'removed' && c.shard_before === 'original.csv' && c.id_after === null)).toBe(true)
    expect(changes.map((c) => c.id_before).sort()).toEqual([...gone].sort())
    for (const c of changes) expect(original.id[c.row_before as number]).toBe(c.id_before)
  })

  it('the dry run names what provenance will do, and writes nothing', async () => {
    const ran = await audit('refused', 'dry', '--dry-run')
    expectExit(ran, 0)
    for (const words of ['provenance:', '1 manifest', 'SHA256SUMS', '1 signature', 'baseline: original.csv'])
      expect(ran.stdout).toContain(words)
    expect(existsSync(at('dry'))).toBe(false)
  })
})

describe('the same bytes', () => {
  it.each([5])('from %i workers', async (workers) => {
    await audit('refused', `workers-${workers}`, '--workers', String(workers))
    expect(results(at(`workers-${workers}`))).toEqual(results(at('refused')))
    expect(readFileSync(at(`workers-${workers}/snapshot/snapshot.json`))).toEqual(readFileSync(at('refused/snapshot/snapshot.json')))
  })

  it('and the same snapshot from another seed', async () => {
    await assay(['audit', at('refused.yaml'), '--run-dir', at('seed'), '--seed', '8'])
    expect(readFileSync(at('seed/snapshot/snapshot.json'))).toEqual(readFileSync(at('refused/snapshot/snapshot.json')))
    expect(readFileSync(at('seed/changes.jsonl'))).toEqual(readFileSync(at('refused/changes.jsonl')))
  })

  it('from shards fitted, merged and scored apart', async () => {
    const must = async (...args: string[]): Promise<void> => expectExit(await assay([...args, '--run-dir', at('shards')]), 0)
    await must('plan', at('refused.yaml'), '--seed', '7')
    const { levels } = JSON.parse(readFileSync(at('shards/plan.json'), 'utf8')) as { levels: unknown[] }
    for (const level of levels.keys()) {
      for (const shard of ['3/3', '1/3', '2/3']) await must('fit', '--level', String(level), '--shard', shard)
      await must('merge', '--level', String(level))
    }
    for (const shard of ['2/2', '1/2']) await must('score', '--shard', shard)
    expectExit(await assay(['report', '--run-dir', at('shards')]), 1)
    expect(results(at('shards'))).toEqual(results(at('refused')))
  })

  it(`after kill -9 at ${kills} random moments`, { timeout: 60_000 + kills * 30_000 }, async () => {
    const whole = await audit('refused', 'timed')
    const { uniform } = generator(kills)
    let cut = 0
    for (let i = 0; i < kills; i++) {
      const runDir = at(`killed-${i}`)
      const args = ['audit', at('refused.yaml'), '--run-dir', runDir, '--seed', '7']
      // The second half of a run holds the comparison.
      const killAfterMs = 1000 * whole.seconds * (i % 2 ? 0.5 + uniform() / 2 : uniform())
      if ((await assay(args, { killAfterMs })).code === null) cut++
      expectExit(await assay([...args, '--resume']), 1)
      expect(results(runDir)).toEqual(results(at('refused')))
    }
    expect(cut).toBeGreaterThan(0)
  })

  it('a run that is done is resumed to the same report, and a delivery that changed is another one', async () => {
    deliver(
      'moving',
      pieces(() => true),
    )
    pipeline('moving', 'moving/data/*.csv', trusted.replace('ROOT', 'moving'))
    expectExit(await audit('moving', 'moving-run'), 0)
    const before = results(at('moving-run'))
    expectExit(await audit('moving', 'moving-run', '--resume'), 0)
    expect(results(at('moving-run'))).toEqual(before)
    appendFileSync(at('moving/SHA256SUMS'), `${'0'.repeat(64)}  data/none.csv\n`)
    const changed = await audit('moving', 'moving-run', '--resume')
    expectExit(changed, 4)
    expect(changed.stderr).toContain('another plan')
  })
})

describe('a store, night after night', () => {
  const night = (name: string, r: Records, provenance: string): Promise<Ran> => {
    writeFileSync(at('store/store.csv'), csv(r))
    writeFileSync(
      at(`${name}.yaml`),
      `version: 1\nsubject: { name: store }\nsources: [{ path: store/store.csv, columns: { id: id, label: label, source: source }, features: [${featureNames}] }]\ngate: { max-flagged: 0.5 }\n${others}\nprovenance: { manifests: false, ${provenance} }\nreport: { formats: [json], flags: jsonl }\n`,
    )
    return audit(name, name)
  }
  const relabelled = original.id.filter((_, i) => original.label[i] === 'cat').slice(0, 30)

  it('leaves a chain of snapshots, and names what was relabelled in between', async () => {
    mkdirSync(at('store'), { recursive: true })
    expectExit(await night('night-1', original, 'snapshot: snapshots/1'), 0)
    const first = report('night-1').provenance?.snapshot
    expect(first).toMatchObject({ records: rows, previous: null })
    const attacked = { ...original, label: original.label.map((l, i) => (relabelled.includes(original.id[i] as string) ? 'dog' : l)) }
    expectExit(await night('night-2', attacked, 'baseline: snapshots/1, snapshot: snapshots/2'), 1)
    const { provenance, findings } = report('night-2')
    expect(provenance?.snapshot).toMatchObject({ previous: first?.root })
    expect(provenance?.changes?.counts).toMatchObject({ relabelled: 30, removed: 0, added: 0, edited: 0 })
    expect(findings.find((f) => f.rule === 'provenance/relabelled')).toMatchObject({ severity: 'high', gates: true, count: 30 })
    const named = changesIn('night-2')
    expect(named.map((c) => [c.kind, c.label_before, c.label_after])).toEqual(named.map(() => ['relabelled', 'cat', 'dog']))
    expect(named.map((c) => c.id_after).sort()).toEqual([...relabelled].sort())
  })

  it('a snapshot is never overwritten', async () => {
    const again = await night('night-3', original, 'baseline: snapshots/1, snapshot: snapshots/2')
    expectExit(again, 4)
    expect(again.stderr).toContain('is there already')
    expectExit(await audit('night-2', 'night-2', '--resume'), 4)
  })

  it('a snapshot that was changed is no baseline', async () => {
    const folder = at('snapshots/1/segments')
    const [segment] = readdirSync(folder)
    const path = join(folder, segment as string)
    const bytes = readFileSync(path)
    rmSync(path)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1
    writeFileSync(path, bytes)
    const ran = await night('night-4', { ...original, label: original.label.map((l, i) => (i < 20 ? 'dog' : l)) }, 'baseline: snapshots/1')
    expect([2, 4]).toContain(ran.code)
    expect(ran.stdout + ran.stderr).toMatch(/changed|damaged|not those|snapshot/)
  })
})

describe('what provenance cannot do is told', () => {
  it('a delivery with nothing to hold it against is incomplete, and so is one without its baseline', async () => {
    mkdirSync(at('bare'), { recursive: true })
    writeFileSync(at('bare/data.csv'), csv(original))
    pipeline('bare', 'bare/*.csv', '{ root: bare }')
    const ran = await audit('bare', 'bare-run')
    expectExit(ran, 2)
    expect(ran.stdout).toContain('the required detector provenance did not run: no manifest was found in bare')
    pipeline('no-baseline', 'good/data/*.csv', '{ root: good, baseline: snapshots/none }')
    expectExit(await audit('no-baseline', 'no-baseline-run'), 4)
  })

  it('a key that lies in the delivery is not trusted', async () => {
    deliver(
      'sly',
      pieces(() => true),
      { 'publisher.pub': pem(publicKey) },
    )
    pipeline('sly', 'sly/data/*.csv', '{ root: sly, trust: { keys: [sly/publisher.pub] } }')
    const ran = await audit('sly', 'sly-run')
    expectExit(ran, 4)
    expect(ran.stderr).toContain('lies in')
  })

  it('an unreadable original makes the audit incomplete, and what else was found stays', async () => {
    writeFileSync(at('broken.csv'), csv(original).replace(/\nr000500,.*/, '\nr000500,cat'))
    pipeline(
      'broken',
      'bad/data/*.csv',
      '{ root: bad, trust: { keys: [keys/publisher.pub] }, baseline: { path: broken.csv, columns: { id: id, label: label, source: source } } }',
    )
    const ran = await audit('broken', 'broken-run')
    expectExit(ran, 2)
    expect(report('broken-run').findings.map((f) => f.rule)).toContain('provenance/mismatch')
  })
})

it('--sign leaves a verdict over the digests that were read', async () => {
  expectExit(await audit('accepted', 'signed', '--sign', at('keys/own.key')), 0)
  const { payload, payloadType, signatures } = JSON.parse(readFileSync(at('signed/verdict.intoto.json'), 'utf8')) as {
    payload: string
    payloadType: string
    signatures: { sig: string }[]
  }
  const body = Buffer.from(payload, 'base64')
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `), body])
  expect(verify(null, signed, createPublicKey(pem(publicKey)), Buffer.from(signatures[0]?.sig ?? '', 'base64'))).toBe(true)
  const statement = JSON.parse(body.toString('utf8')) as {
    subject: { name: string; digest: { sha256: string } }[]
    predicate: { result: string }
  }
  expect(statement.predicate.result).toBe('PASSED')
  expect(statement.subject.map((s) => s.digest.sha256)).toEqual(pieces(() => true).map(sha256))
  const missing = await audit('accepted', 'unsigned', '--sign', at('keys/none.key'))
  expectExit(missing, 4)
  expect(existsSync(at('unsigned/report.json'))).toBe(false)
})
