import { availableParallelism } from 'node:os'
import { relative, resolve } from 'node:path'
import { signFolder } from '../engine/sign.ts'
import { escapeTerminal } from '../report/escape.ts'
import { formatBytes, formatCount } from '../report/format.ts'
import { UsageError } from './errors.ts'
import { clock } from './input.ts'
import { type Io, write } from './io.ts'
import type { WatchOptions } from './options.ts'
import { passwordOf } from './password.ts'
import { openProgress } from './progress.ts'

export interface SignOptions extends WatchOptions {
  readonly key?: string
  readonly passwordEnv?: string
  readonly out?: string
  readonly sums?: string | true
  readonly bom?: string | true
  readonly name?: string
  readonly release?: string
  readonly license?: string
  readonly supplier?: string
  readonly ignore?: readonly string[]
  readonly workers?: number
  readonly force?: boolean
}

const outputOf = (option: string | true | undefined, name: string): string | null =>
  option === undefined ? null : option === true ? name : resolve(option)

const ed25519Note = 'note: the reference tool of OpenSSF model signing takes no ed25519 keys; assay verify does'

/** Signature, sums and bill of materials of a folder. */
export async function runSign(folder: string, options: SignOptions, io: Io): Promise<number> {
  const sums = outputOf(options.sums, 'SHA256SUMS')
  const bom = outputOf(options.bom, 'bom.cdx.json')
  if (options.key === undefined && sums === null && bom === null)
    throw new UsageError('nothing to write: no --key was given, and neither --sums nor --bom', 'assay keygen --out NAME makes a key')
  if (options.key === undefined && options.out !== undefined) throw new UsageError('--out names a signature, and no --key was given')
  const progress = await openProgress(options.quiet === true ? 'none' : options.progress, io)
  let done = 0
  try {
    const signed = await signFolder({
      root: folder,
      key: options.key ?? null,
      password: passwordOf(options.passwordEnv, io.env),
      out: options.out ?? null,
      sums,
      bom,
      subject: { name: options.name ?? null, version: options.release ?? null },
      license: options.license,
      supplier: options.supplier,
      ignore: options.ignore ?? [],
      force: options.force === true,
      now: clock(io.env),
      threads: options.workers ?? availableParallelism(),
      progress(bytes) {
        done += bytes
        progress.update({ phase: 'hash', done, total: null, unit: 'bytes' })
      },
      signal: io.signal,
    })
    progress.stop()
    const files = signed.written.map((path) => escapeTerminal(relative(process.cwd(), path) || path)).join(', ')
    const by = signed.fingerprint === null ? '' : `, signed with the key SHA-256 ${signed.fingerprint}`
    const count = `${formatCount(signed.files)} ${signed.files === 1 ? 'file' : 'files'} (${formatBytes(signed.bytes)})`
    if (signed.kind === 'ed25519') await write(io.stderr, `${ed25519Note}\n`)
    if (options.quiet !== true) await write(io.stdout, `${count}${by}\nwritten: ${files}\n`)
    return 0
  } finally {
    progress.stop()
  }
}
