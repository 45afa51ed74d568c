import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { pipelineJsonSchema } from '../../src/config/json-schema.ts'
import { version } from '../../src/version.ts'
import { folderWith } from '../config/files.ts'

const root = join(import.meta.dirname, '../..')

const start = (...argv: readonly string[]) =>
  spawn(process.execPath, ['--import', 'tsx', join(root, 'src/cli/bin.ts'), ...argv], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] })

describe('the process', () => {
  test('exits with the code, and all of its output has left', async () => {
    const child = start('schema', 'pipeline')
    const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    const digest = (s: string) => createHash('sha256').update(s).digest('hex')
    expect({ code, err, out: digest(out) }).toEqual({ code: 0, err: '', out: digest(pipelineJsonSchema()) })
  })

  test('a usage error exits 4', async () => {
    const child = start('nonsense')
    const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
    expect([out, code]).toEqual(['', 4])
  })

  test('a reader that went away is no error', async () => {
    const child = start('schema', 'report')
    child.stdout.destroy()
    const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
    expect([err, code]).toEqual(['', 0])
  })

  test('Ctrl-C stops it, says how to go on, and exits 130', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `${i},${Math.sin(i)},${Math.cos(i * i)},${i % 2}`)
    const folder = await folderWith({ 'd.csv': ['id,x,y,label', ...rows, ''].join('\n') })
    const child = start('audit', join(folder, 'd.csv'), '--run-dir', join(folder, 'run'), '--workers', '1')
    const closed = Promise.all([text(child.stderr), once(child, 'close')])
    while (!existsSync(join(folder, 'run', 'plan.json')) && child.exitCode === null) await setTimeout(20)
    child.kill('SIGINT')
    const [err, [code]] = await closed
    expect(code).toBe(130)
    expect(err).toMatch(/interrupted; resume with: assay audit .* --resume\n$/)
  })

  test('standard input that stays open holds nothing up', async () => {
    const child = start('--version')
    expect([await text(child.stdout), (await once(child, 'close'))[0]]).toEqual([`${version}\n`, 0])
  })
})
