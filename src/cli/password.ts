import { UsageError } from './errors.ts'
import type { Io } from './io.ts'

/** The passphrase in the variable that an option names: never on the command line, where others see it. */
export function passwordOf(variable: string | undefined, env: Io['env']): string | undefined {
  if (variable === undefined) return undefined
  const password = env[variable]
  if (password === undefined || password === '')
    throw new UsageError(`the environment variable ${variable} holds no passphrase`, `set it, or leave out --password-env`)
  return password
}
