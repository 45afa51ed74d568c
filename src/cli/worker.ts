import { resolve } from 'node:path'
import { accept, acceptSegments } from '../engine/remote/accept.ts'
import { answer } from '../engine/remote/answer.ts'
import { worked } from '../engine/remote/exchange.ts'
import { mergeAnswer } from '../engine/remote/merge.ts'
import { writePieces } from '../engine/remote/pieces.ts'
import type { Step } from '../engine/remote/step.ts'
import type { Io } from './io.ts'

export async function runAnswer(step: Step, modelDir: string, part: number, io: Io): Promise<number> {
  await writePieces(answer(resolve(modelDir), step, part, io.stdin), io.stdout)
  return 0
}

export async function runWork(modelDir: string, io: Io): Promise<number> {
  await writePieces(worked(resolve(modelDir), io.stdin), io.stdout)
  return 0
}

export async function runMergeAnswer(step: Step, modelDir: string, fan: number, io: Io): Promise<number> {
  await writePieces(mergeAnswer(resolve(modelDir), step, fan, io.stdin), io.stdout)
  return 0
}

export async function runAccept(what: 'states' | 'segments', step: Step, runDir: string, io: Io): Promise<number> {
  await (what === 'states' ? accept(resolve(runDir), step, io.stdin) : acceptSegments(resolve(runDir), io.stdin))
  return 0
}
