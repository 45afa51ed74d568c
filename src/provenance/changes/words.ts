import type { ChangeKind, Concentration } from '../../contracts/snapshot.ts'
import { missing } from './census.ts'

export const number = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',')

export const records = (n: number): string => `${number(n)} ${n === 1 ? 'record' : 'records'}`

/** "68 %", "0.4 %" */
export function percent(part: number, whole: number): string {
  const share = whole === 0 ? 0 : (100 * part) / whole
  if (share === 0 || share === 100) return `${share} %`
  return share < 0.1 ? '<0.1 %' : `${share < 10 ? Number(share.toFixed(1)) : Math.min(99.9, Number(share.toFixed(share > 99 ? 1 : 0)))} %`
}

/** "p = 0.012", "p = 1.3e-16", "p < 1e-300" */
export function chance(log10P: number): string {
  if (log10P < -300) return 'p < 1e-300'
  const p = 10 ** log10P
  return p < 0.001 ? `p = ${p.toExponential(1)}` : `p = ${Number(p.toPrecision(2))}`
}

/** What happened to records, after "4 records of class a ...". */
export const happened = (kind: ChangeKind, n: number): string => {
  const one = n === 1
  switch (kind) {
    case 'removed':
      return one ? 'is missing' : 'are missing'
    case 'added':
      return one ? 'is new' : 'are new'
    case 'edited':
      return one ? 'has other content' : 'have other content'
    case 'relabelled':
      return one ? 'has another label' : 'have another label'
    case 'replaced':
      return one ? 'has other content and another label' : 'have other content and another label'
  }
}

export const inSplit = (within: string | null): string => (within === null ? '' : ` in ${within}`)

export const ofClass = (name: string): string => (name === missing ? 'without a label' : `of class ${name}`)

/** "of class normal", "of source ward 3", "from 2026-01-01T00:00:00Z to before ..." */
export function ofCell({ axis, cell }: Pick<Concentration, 'axis' | 'cell'>): string {
  switch (axis) {
    case 'class':
      return ofClass(cell)
    case 'source':
      return cell === missing ? 'without a source' : `of source ${cell}`
    case 'time':
      return cell
    case 'position':
      return `at ${cell}`
    case 'class-pair':
      return cell
  }
}
