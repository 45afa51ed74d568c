import type { Attack } from '../attack.ts'
import { blend } from './blend.ts'
import { columnCategory } from './column-category.ts'
import { columnInterval } from './column-interval.ts'
import { columnPair } from './column-pair.ts'
import { columnValue } from './column-value.ts'
import { flipPair } from './flip-pair.ts'
import { flipSource } from './flip-source.ts'
import { flipUniform } from './flip-uniform.ts'
import { flood } from './flood.ts'
import { hiddenInstruction } from './hidden-instruction.ts'
import { insertSentence } from './insert-sentence.ts'
import { insertWord } from './insert-word.ts'
import { instructionPoison } from './instruction-poison.ts'
import { nudge } from './nudge.ts'
import { patch } from './patch.ts'
import { prefix } from './prefix.ts'
import { sinusoid } from './sinusoid.ts'
import { souly } from './souly.ts'
import { swappedDose } from './swapped-dose.ts'
import { warp } from './warp.ts'

/** Sorted by family, then by name. */
export const attacks: readonly Attack[] = [
  flipPair,
  flipSource,
  flipUniform,
  blend,
  nudge,
  patch,
  sinusoid,
  warp,
  columnCategory,
  columnInterval,
  columnPair,
  columnValue,
  flood,
  hiddenInstruction,
  insertSentence,
  insertWord,
  instructionPoison,
  prefix,
  souly,
  swappedDose,
]
