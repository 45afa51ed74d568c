import { relative } from 'node:path'
import { writeKeyPair } from '../engine/sign.ts'
import { escapeTerminal } from '../report/escape.ts'
import { type Io, write } from './io.ts'
import type { KeyTypeName } from './key-types.ts'
import { passwordOf } from './password.ts'

export interface KeygenOptions {
  readonly type: KeyTypeName
  readonly out: string
  readonly passwordEnv?: string
}

/** A key pair in two files, neither of which existed before. */
export async function runKeygen(options: KeygenOptions, io: Io): Promise<number> {
  const { files, fingerprint } = await writeKeyPair(options.out, options.type, passwordOf(options.passwordEnv, io.env) ?? null)
  const [privatePath, publicPath] = files.map((path) => escapeTerminal(relative(process.cwd(), path) || path))
  await write(io.stdout, `${privatePath}: the private key; keep it to yourself\n${publicPath}: the public key, SHA-256 ${fingerprint}\n`)
  return 0
}
