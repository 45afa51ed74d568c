import { PassThrough, Readable, Writable } from 'node:stream'
import type { Io, Output } from '../../src/cli/io.ts'
import { run } from '../../src/cli/main.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface World {
  readonly env?: Io['env']
  readonly stdin?: string | Uint8Array
  readonly signal?: AbortSignal
  readonly tty?: boolean
}

export function capture(tty = false): { readonly stream: Output; readonly text: () => string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer | string, _, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return { stream: Object.assign(stream, tty ? { isTTY: true, columns: 100 } : {}), text: () => Buffer.concat(chunks).toString('utf8') }
}

/** The program with its streams in memory. */
export async function assay(argv: readonly string[], world: World = {}): Promise<Ran> {
  const stdout = capture(world.tty)
  const stderr = capture(world.tty)
  const stdin = world.stdin === undefined ? new PassThrough().end() : Readable.from([Buffer.from(world.stdin)])
  const code = await run(argv, {
    stdout: stdout.stream,
    stderr: stderr.stream,
    stdin,
    env: world.env ?? { ASSAY_NOW: '2026-11-23T09:00:00Z' },
    ...(world.signal ? { signal: world.signal } : {}),
  })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}
