#!/usr/bin/env node
import process from 'node:process'
import { write } from './io.ts'
import { run } from './main.ts'

// A reader that went away (`assay explain | head`) ends the output, not the audit; a full disk does.
let unwritten = false
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') unwritten = true
  })
}

const interrupt = new AbortController()
const onSignal = (): void => {
  if (interrupt.signal.aborted) process.exit(130)
  interrupt.abort()
}
process.on('SIGINT', onSignal)
process.on('SIGTERM', onSignal)

const code = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  // Standard input is opened only where a command reads it.
  get stdin() {
    return process.stdin
  },
  env: process.env,
  signal: interrupt.signal,
})
await write(process.stdout, '')
await write(process.stderr, '')
process.exit(unwritten ? 2 : code)
