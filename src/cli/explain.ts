import { explainRule, ruleIds } from '../report/explain.ts'
import { type Io, write } from './io.ts'

/** The page of a rule; without one, the list of rules. */
export async function runExplain(rule: string | undefined, io: Io): Promise<number> {
  if (rule !== undefined) {
    const page = await explainRule(rule)
    await write(io.stdout, page.endsWith('\n') ? page : `${page}\n`)
    return 0
  }
  const ids = await ruleIds()
  const titles = await Promise.all(ids.map(async (id) => /^# +(.*)$/m.exec(await explainRule(id))?.[1] ?? ''))
  const width = Math.max(0, ...ids.map((id) => id.length))
  await write(
    io.stdout,
    ids
      .map((id, i) => `${id.padEnd(width)}  ${titles[i]}`.trimEnd())
      .join('\n')
      .concat('\n'),
  )
  return 0
}
