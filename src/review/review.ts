import { join } from 'node:path'
import { openContents } from './content.ts'
import { type Desk, openDesk } from './desk.ts'
import { decisionsFile, openLog, readDecisions } from './log.ts'
import { casesOf, openRunDir } from './open.ts'
import { type Reviewing, serve } from './server.ts'
import { watchInputs } from './unchanged.ts'
import { waiversOf, writeWaivers } from './waivers.ts'

export interface ReviewRequest {
  readonly runDir: string
  readonly reviewer: string
  /** 0 takes a free one. */
  readonly port: number
  readonly now: () => Date
}

export interface OpenReview extends Reviewing {
  readonly desk: Desk
}

/** Opens a run directory for review in a browser of this computer. @throws AssayError */
export async function openReview({ runDir, reviewer, port, now }: ReviewRequest): Promise<OpenReview> {
  const reviewed = await openRunDir(runDir)
  const found = await casesOf(reviewed)
  const log = await openLog(join(runDir, decisionsFile), { reviewer, report: reviewed.digest }, now)
  const contents = openContents(reviewed.run, await watchInputs(reviewed.run))
  const desk = openDesk({ ...reviewed, ...found, contents, log, reviewer })
  try {
    const serving = await serve(desk, port)
    return { ...serving, desk, close: () => serving.close().then(() => log.close()) }
  } catch (error) {
    await log.close()
    throw error
  }
}

/** Writes what was dismissed as waivers; how many. @throws ReviewError */
export async function exportWaivers(runDir: string, path: string, now: Date, days: number): Promise<number> {
  const { report, digest } = await openRunDir(runDir)
  const { lines } = await readDecisions(join(runDir, decisionsFile))
  const waivers = waiversOf(
    report,
    lines.filter((l) => l.report === digest),
    now,
    days,
  )
  await writeWaivers(path, report, waivers)
  return waivers.length
}
