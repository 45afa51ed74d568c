import type { SourceSpec } from '../contracts/data.ts'
import type { Pipeline } from '../contracts/pipeline.ts'

/** The classes of records with several labels each, of which every one is audited by itself; null where records have one label. */
export function classesOf({ sources }: Pipeline): readonly string[] | null {
  const several = sources.filter((s) => s.multilabel)
  return several.length === 0 ? null : [...new Set(several.flatMap((s) => s.classes ?? []))]
}

/** The audit of one class: is it there, or not? */
export function forClass(pipeline: Pipeline, name: string): Pipeline {
  const binary = (source: SourceSpec): SourceSpec => {
    const { multilabel: _, classes: __, ...rest } = source
    return { ...rest, present: name }
  }
  return {
    ...pipeline,
    subject: { ...pipeline.subject, name: `${pipeline.subject.name}: ${name}` },
    sources: pipeline.sources.map(binary),
    reference: pipeline.reference.map(binary),
  }
}

/** A folder for it below the run directory: its number keeps it apart from others whose names differ by odd characters alone. */
export const folderFor = (name: string, i: number): string => `class-${i + 1}-${name.replaceAll(/[^\w-]+/g, '_').slice(0, 40)}`

const gravity = [0, 3, 1, 2, 4]

/** What several audits come to: incomplete outranks failed, failed outranks passed. */
export const worstExit = (codes: readonly number[]): number =>
  codes.reduce((worst, code) => (gravity.indexOf(code) > gravity.indexOf(worst) ? code : worst), 0)
