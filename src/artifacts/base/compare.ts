import type { Located } from '../observation.ts'
import type { ScanHooks, ScannedFile } from '../scan.ts'
import { type Changed, diffTensors, type TensorDiff, tensorsOf } from './tensors.ts'
import { checkAdapter, diffTemplate, diffTokenizer, type Tell } from './texts.ts'

/** At most this share of the tensors changed: an edit, not a training. */
const fewShare = 0.1
/** Energy of a difference in one direction, from which it counts as rank one. */
const rankOne = 0.9

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const list = (names: readonly string[]): string => `${names.slice(0, 3).join(', ')}${names.length > 3 ? ' and others' : ''}`

function tellChanged(diff: TensorDiff, tell: Tell, note: (text: string) => void): void {
  const { changed, compared } = diff
  if (compared > 0) note(`${changed.length} of ${compared} tensors differ from the base model`)
  if (changed.length === 0) return
  if (changed.length > compared * fewShare) {
    const shares = changed.flatMap(({ relative }) => (relative === null ? [] : [relative])).sort((a, b) => a - b)
    note(
      `most of what changed looks like training: the median difference is ${percent(shares[Math.floor(shares.length / 2)] ?? 0)} of a tensor`,
    )
    return
  }
  const surgical = changed.filter(({ topShare }) => topShare !== null && topShare >= rankOne)
  for (const one of changed) tell(observationOf(one, surgical.includes(one), changed.length, compared))
}

function observationOf({ tensor, relative, topShare }: Changed, surgical: boolean, changed: number, compared: number): Parameters<Tell>[0] {
  const size = relative === null ? '' : `, by ${percent(relative)} of its norm`
  const rank = topShare === null ? '' : `, ${percent(topShare)} of it in one direction`
  const what = surgical ? `edited by rank one: ${changed} of ${compared} tensors differ` : `changed, one of ${changed} of ${compared}`
  return {
    rule: 'tensor-edited',
    verdict: surgical ? 'block' : 'review',
    subject: tensor.name,
    message: `has the tensor ${tensor.name} ${what}${size}${rank}.`,
    file: tensor.file.path,
  }
}

/** Holds a model against a pinned base: tensors, tokenizer, template, adapter. Neither is loaded. */
export function compareToBase(
  files: readonly ScannedFile[],
  base: { readonly name: string; readonly files: readonly ScannedFile[] },
  observe: (o: Located) => void,
  note: (text: string) => void,
  hooks: ScanHooks,
): void {
  const tell: Tell = (o) => observe({ ...o, inside: [], offset: null })
  const after = tensorsOf(files)
  const before = tensorsOf(base.files)
  const isAdapter = files.some((f) => f.path === 'adapter_config.json')
  if (isAdapter) checkAdapter(files, after, base.files, before, base.name, tell)
  else if (after.size > 0 && before.size > 0) {
    const diff = diffTensors(after, before, hooks.progress, hooks.aborted)
    tellChanged(diff, tell, note)
    const file = [...after.values()][0]?.file.path ?? ''
    for (const [subject, names, words] of [
      ['missing', diff.missing, 'lacks'],
      ['added', diff.added, 'has more than the base model:'],
      ['reshaped', diff.reshaped, 'has in another shape or type:'],
    ] as const)
      if (names.length > 0)
        tell({
          rule: 'tensor-edited',
          verdict: 'review',
          subject,
          message: `${words} ${names.length} tensors: ${list(names)}.`,
          file,
          count: names.length,
        })
  } else note(`no tensors to compare with those of ${base.name}: both need safetensors files`)
  diffTokenizer(files, base.files, tell)
  diffTemplate(files, base.files, tell)
}
