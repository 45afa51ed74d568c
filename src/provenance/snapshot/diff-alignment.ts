import type { Places } from './diff-places.ts'

/** Unchanged records of which the places are kept: keys are digests, so that the first are a random sample. */
const maxKept = 2 ** 18

/** Which row of the new file stands where a row of the old one stood, told by the unchanged records around it. */
export interface Alignment {
  /** An unchanged record, by its spots. */
  kept(before: number, after: number): void
  /** More would not be kept. */
  isFull(): boolean
  /** The spot after of a spot before; -1 where the neighbours on both sides do not agree. */
  settle(): (before: number) => number
}

export function openAlignment(places: Places): Alignment {
  let size = 0
  let spots = new Float64Array(1024)
  let shifts = new Float64Array(1024)
  const push = (spot: number, shift: number): void => {
    if (size === spots.length) {
      const grow = (from: Float64Array): Float64Array<ArrayBuffer> => {
        const larger = new Float64Array(2 * from.length)
        larger.set(from)
        return larger
      }
      spots = grow(spots)
      shifts = grow(shifts)
    }
    spots[size] = spot
    shifts[size++] = shift
  }
  for (const { first, last, lastAfter } of places.ends) {
    push(first, 0)
    push(last, lastAfter - last)
  }
  return {
    kept(before, after) {
      if (before >= 0 && after >= 0 && size < maxKept) push(before, after - before)
    },
    isFull: () => size >= maxKept,
    settle() {
      const order = Uint32Array.from({ length: size }, (_, i) => i).sort((a, b) => (spots[a] as number) - (spots[b] as number))
      const at = (i: number): number => spots[order[i] as number] as number
      const shift = (i: number): number => shifts[order[i] as number] as number
      return (before) => {
        let [low, high] = [0, size]
        while (low < high) {
          const middle = (low + high) >> 1
          if (at(middle) < before) low = middle + 1
          else high = middle
        }
        return low === 0 || low === size || shift(low - 1) !== shift(low) ? -1 : before + shift(low)
      }
    },
  }
}
