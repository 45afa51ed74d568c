import { type LinkVerdict, verifySnapshot } from '../engine/snapshot-verify.ts'
import { escapeTerminal } from '../report/escape.ts'
import { plural } from '../report/format.ts'
import { shortPath } from './describe-plan.ts'
import { clock } from './input.ts'
import { type Io, write } from './io.ts'
import type { VerifyOptions } from './verify.ts'

type Policy = Parameters<typeof verifySnapshot>[0]['policy']

const line = (link: LinkVerdict): string => {
  const { signature } = link
  const signed = signature === null ? 'not signed' : `${signature.status}${signature.signer ? `, ${signature.signer}` : ''}`
  const gaps = link.complete ? '' : ', some of the data could not be read'
  return `  ${escapeTerminal(shortPath(link.folder))}  ${link.createdAt}, ${plural(link.records, 'record')}, root ${link.root.slice(0, 16)}, ${escapeTerminal(signed)}${gaps}`
}

/** `assay verify S` where S is a snapshot: every byte against its header and signature, and the chain before it. */
export async function runVerifySnapshot(folder: string, policy: Policy, options: VerifyOptions, io: Io): Promise<number> {
  const { chain } = options
  const request = { folder, chain: chain === undefined ? null : chain === true ? '' : chain, policy, now: clock(io.env) }
  const { links, problems } = await verifySnapshot(request)
  if (options.json) await write(io.stdout, `${JSON.stringify({ intact: problems.length === 0, links, problems }, null, 1)}\n`)
  else if (!options.quiet) {
    const head = problems.length === 0 ? 'the snapshot is what its header says' : 'NOT AS IT SHOULD BE'
    const text = [head, ...links.map(line), ...problems.map((p) => `  problem: ${escapeTerminal(p)}`)]
    await write(io.stdout, `${text.join('\n')}\n`)
  }
  return problems.length > 0 && !options.exitZero ? 1 : 0
}
