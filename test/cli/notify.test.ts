import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { tellFailure, tellVerdict } from '../../src/cli/notify.ts'
import { parseReport } from '../../src/report/schema.ts'
import { capture } from './harness.ts'

const golden = async (name: string) =>
  parseReport(await readFile(join(import.meta.dirname, '../golden/expected', name, 'report.json'), 'utf8'))
const world = (env: Record<string, string>) => {
  const stderr = capture()
  return { io: { stdout: capture().stream, stderr: stderr.stream, stdin: new PassThrough(), env }, told: stderr.text }
}

describe('webhooks of a pipeline', () => {
  test('are told the verdict without any content of records; on: fail is silent where the gate passes', async () => {
    const bodies: string[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (part) => {
        body += part
      })
      request.on('end', () => {
        bodies.push(body)
        response.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const { io, told } = world({ HOOK: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` })
      const spec = [{ webhook: { env: 'HOOK' }, on: 'fail' }] as const
      await tellVerdict(spec, await golden('poisoned-tabular'), io)
      await tellVerdict(spec, await golden('clean-tabular'), io)
      await tellVerdict([{ ...spec[0], on: 'always' }], await golden('clean-tabular'), io)
      await tellFailure(spec, { name: 'store', version: null }, 2, '2026-11-23T09:00:00Z', io)
      const sent = bodies.map((b) => JSON.parse(b) as { verdict: string; findings: { rule: string }[] })
      expect(sent.map((s) => s.verdict)).toEqual(['failed', 'passed', 'error'])
      expect(sent[0]?.findings.map((f) => f.rule)).toContain('label-flip/source')
      for (const word of ['benign', 'malignant', 'Coimbra', 'patient-']) expect(bodies.join()).not.toContain(word)
      expect(told()).toBe('')
    } finally {
      server.close()
    }
  })

  test('that cannot be told are reported, and nothing else happens', async () => {
    const { io, told } = world({})
    await tellVerdict([{ webhook: { env: 'HOOK' }, on: 'always' }], await golden('clean-tabular'), io)
    expect(told()).toBe('assay: the environment variable HOOK is not set\n  the verdict and the exit code stand as they are\n')
    await tellVerdict(undefined, await golden('clean-tabular'), io)
  })
})
