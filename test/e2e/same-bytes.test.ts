import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { assay, reportOf, results, scratch } from './program.ts'
import { csv, featureNames, generator, part, predictions, records } from './records.ts'

const at = scratch()
const kills = Number(process.env.ASSAY_KILLS ?? 2)
const files = 6

/** Two plans that take the two ways through the engine: models fitted in two levels, and the user's own predictions. */
const plans = [
  { name: 'no-model', exit: 1 },
  { name: 'predictions', exit: 0 },
] as const

const formats = 'report: { formats: [html, json, sarif, markdown] }\n'

const run = (name: string, runDir: string, ...more: string[]) =>
  assay(['audit', at(`${name}.yaml`), '--run-dir', runDir, '--seed', '7', '--keep-scores', ...more])

const seconds: Record<string, number> = {}

beforeAll(async () => {
  const data = records(2400, 5, 0.4)
  for (let i = 0; i < files; i++) writeFileSync(at(`data/part-${i}.csv`), csv(part(data, 400 * i, 400 * (i + 1))))
  writeFileSync(
    at('no-model.yaml'),
    `version: 1\nsubject: { name: no-model }\nsources: [{ path: data/part-*.csv, columns: { id: id, label: label, source: source }, features: [${featureNames}] }]\n${formats}`,
  )
  const arrays = predictions(20_000, 6)
  writeFileSync(at('p.npy'), arrays.predictions)
  writeFileSync(at('y.npy'), arrays.label)
  writeFileSync(
    at('predictions.yaml'),
    'version: 1\nsubject: { name: predictions }\nsources: [{ arrays: { predictions: p.npy, label: y.npy } }]\ngate: { max-flagged: 0.2 }\n' +
      formats,
  )
  for (const { name, exit } of plans) {
    const whole = await run(name, at(`${name}-whole`))
    expect(whole.code, whole.stderr + whole.stdout).toBe(exit)
    seconds[name] = whole.seconds
  }
})

describe.each(plans)('$name: the same bytes', ({ name, exit }) => {
  it('from the same seed', async () => {
    await run(name, at(`${name}-again`))
    expect(results(at(`${name}-again`))).toEqual(results(at(`${name}-whole`)))
    expect(Object.keys(results(at(`${name}-whole`)))).toEqual(
      expect.arrayContaining(['flags.parquet', 'report.html', 'report.json', 'report.md', 'report.sarif', 'scores.parquet']),
    )
  })

  it.each([1])('from %i worker', async (workers) => {
    await run(name, at(`${name}-workers-${workers}`), '--workers', String(workers))
    expect(results(at(`${name}-workers-${workers}`))).toEqual(results(at(`${name}-whole`)))
  })

  it('from shards fitted, merged and scored apart', async () => {
    const runDir = at(`${name}-shards`)
    const each = [1, 2, 3].map((i) => `${i}/3`)
    const must = async (...args: string[]) => {
      const done = await assay([...args, '--run-dir', runDir])
      expect(done.code, `${args.join(' ')}: ${done.stderr}`).toBe(0)
    }
    await must('plan', at(`${name}.yaml`), '--seed', '7', '--keep-scores')
    const { levels } = JSON.parse(readFileSync(join(runDir, 'plan.json'), 'utf8')) as { levels: unknown[] }
    for (const level of levels.keys()) {
      for (const shard of [...each].reverse()) await must('fit', '--level', String(level), '--shard', shard)
      await must('merge', '--level', String(level))
    }
    for (const shard of each) await must('score', '--shard', shard)
    const report = await assay(['report', '--run-dir', runDir])
    expect(report.code).toBe(exit)
    expect(results(runDir)).toEqual(results(at(`${name}-whole`)))
  })

  it(`after kill -9 at ${kills} random moments`, { timeout: 60_000 + kills * 30_000 }, async () => {
    const { uniform } = generator(kills)
    const whole = results(at(`${name}-whole`))
    let cut = 0
    for (let i = 0; i < kills; i++) {
      const runDir = at(`${name}-killed-${i}`)
      // Every second run is killed again while it resumes.
      const deaths = i % 2 === 1 ? 2 : 1
      for (let death = 0; death < deaths; death++) {
        const killAfterMs = uniform() * 1000 * (seconds[name] as number)
        const killed = await assay(
          ['audit', at(`${name}.yaml`), '--run-dir', runDir, '--seed', '7', '--keep-scores', ...(death > 0 ? ['--resume'] : [])],
          { killAfterMs },
        )
        if (killed.code === null) cut++
      }
      const resumed = await run(name, runDir, '--resume')
      expect(resumed.code, resumed.stderr + resumed.stdout).toBe(exit)
      expect(results(runDir)).toEqual(whole)
    }
    expect(cut).toBeGreaterThan(0)
    expect(reportOf(at(`${name}-whole`)).exitCode).toBe(exit)
  })
})
