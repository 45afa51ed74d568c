import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditOutcome } from '../../src/contracts/outcome.ts'
import type { Policy } from '../../src/report/build.ts'

export interface GoldenCase {
  readonly name: string
  readonly outcome: AuditOutcome
  readonly policy: Policy
}

/** Every file of `cases/` exports an outcome and a policy: a new case is a new file. */
export async function loadCases(): Promise<readonly GoldenCase[]> {
  const folder = join(import.meta.dirname, 'cases')
  const files = (await readdir(folder)).filter((f) => f.endsWith('.ts')).sort()
  return Promise.all(
    files.map(async (file) => ({ name: file.slice(0, -3), ...((await import(join(folder, file))) as Omit<GoldenCase, 'name'>) })),
  )
}
