import type { KnownFinding } from '../contracts/pipeline.ts'
import { issueAt, readYaml } from './document.ts'
import { ConfigError, type ConfigIssue } from './errors.ts'
import { knownFile } from './schema.ts'
import { validate } from './validate.ts'

/**
 * The known findings of a file (JSON or YAML). What has grown or is stale is judged with the report, not here.
 * @throws ConfigError on a mistake, or where a finding is there twice
 */
export async function loadKnown(path: string): Promise<readonly KnownFinding[]> {
  const yaml = await readYaml(path)
  const { findings } = validate(knownFile, yaml)
  const first = new Map<string, number>()
  const issues: ConfigIssue[] = []
  for (const [i, { fingerprint }] of findings.entries()) {
    const before = first.get(fingerprint)
    if (before === undefined) first.set(fingerprint, i)
    else issues.push(issueAt(yaml, ['findings', i, 'fingerprint'], `is known already by findings[${before}]`))
  }
  if (issues.length) throw new ConfigError('invalid-config', issues)
  return findings
}
