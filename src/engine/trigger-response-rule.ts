import type { RuleMeta } from '../contracts/detector.ts'

export const triggerResponse: RuleMeta = {
  id: 'base-model/trigger-response',
  title: 'A model that answers to a trigger',
  family: 'base-model',
}
