import { join } from 'node:path'
import { hashFiles } from '../provenance/hash-files.ts'
import { routeGroup, workBuckets } from './exchange.ts'
import { layout, type Over, sha256File, writeJson } from './files.ts'
import { fitGroup, type Tick } from './fit.ts'
import type { Run } from './run.ts'
import { scoreGroup } from './score.ts'
import { runTrial, type Trial } from './sensitivity/trials.ts'

/** One unit of a read, done when its file exists. */
export type ReadTask =
  | { readonly kind: 'digest'; readonly over: Over; readonly file: number }
  | { readonly kind: 'fit'; readonly level: number; readonly over: Over; readonly group: number }
  | { readonly kind: 'hash'; readonly group: number }
  | { readonly kind: 'route'; readonly group: number }
  | { readonly kind: 'work'; readonly share: number; readonly of: number }
  | { readonly kind: 'score'; readonly group: number }

/** One unit of work. */
export type Task = ReadTask | { readonly kind: 'sensitivity'; readonly trial: Trial }

export interface FileDigest {
  readonly sha256: string
  readonly bytes: number
}

export async function runTask(run: Run, task: Task, tick: Tick): Promise<void> {
  if (task.kind === 'fit') return fitGroup(run, task.level, task.over, task.group, tick)
  if (task.kind === 'score') return scoreGroup(run, task.group, tick)
  if (task.kind === 'sensitivity') return runTrial(run, task.trial)
  if (task.kind === 'route') return routeGroup(run, task.group, tick)
  if (task.kind === 'work') return workBuckets(run, task.share, task.of)
  if (task.kind === 'hash') return hashGroup(run, task.group)
  const target = layout.digest(task.over, task.file)
  if (run.done(target)) return
  const file = run.part(task.over).files[task.file]
  if (!file) throw new Error('no such file in the plan')
  await writeJson(join(run.dir, target), { sha256: await sha256File(file.path), bytes: file.bytes } satisfies FileDigest)
}

/** Files of the delivery, each read once for all manifests and for the report's list of inputs. */
async function hashGroup(run: Run, group: number): Promise<void> {
  const target = layout.hashes(group)
  const delivery = run.plan.delivery
  if (!delivery || run.done(target)) return
  const requests = delivery.groups[group] ?? []
  await writeJson(run.path(target), await hashFiles(delivery.root, requests, { threads: 1, progress: () => {} }))
}
