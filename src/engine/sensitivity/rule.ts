import type { RuleMeta } from '../../contracts/detector.ts'

/** The rule that findings of the detector `coverage` cite. */
export const blindSpotRule: RuleMeta = {
  id: 'coverage/blind-spot',
  title: 'An attack that this audit would have missed',
  family: 'coverage',
}
