import type { Waiver } from '../contracts/pipeline.ts'
import { issueAt, readYaml } from './document.ts'
import { ConfigError, type ConfigIssue } from './errors.ts'
import { waiversFile } from './schema.ts'
import { validate } from './validate.ts'

/**
 * The waivers of a file. Whether one has expired or is used is judged with the report, not here.
 * @throws ConfigError on a mistake, or where two waivers are for one finding
 */
export async function loadWaivers(path: string): Promise<readonly Waiver[]> {
  const yaml = await readYaml(path)
  const { waivers } = validate(waiversFile, yaml)
  const first = new Map<string, number>()
  const issues: ConfigIssue[] = []
  for (const [i, { fingerprint }] of waivers.entries()) {
    const before = first.get(fingerprint)
    if (before === undefined) first.set(fingerprint, i)
    else issues.push(issueAt(yaml, ['waivers', i, 'fingerprint'], `is waived already by waivers[${before}]`))
  }
  if (issues.length) throw new ConfigError('invalid-config', issues)
  return waivers
}
