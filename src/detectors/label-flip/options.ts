import { z } from 'zod'

/** Rules for the user's own predictions; all but the first two are cleanlab's, under its names (Northcutt et al. 2021). */
export const filters = [
  'ratio',
  'per_cell',
  'prune_by_noise_rate',
  'prune_by_class',
  'both',
  'confident_learning',
  'predicted_neq_given',
] as const
export type Filter = (typeof filters)[number]

export const labelFlipOptions = z.strictObject({
  /** How records are flagged when there are predictions. */
  filter: z.enum(filters).default('ratio'),
  /** `ratio` flags where p_given / t_given is below this times the largest p_j / t_j. */
  ratio: z.number().gt(0).max(1).default(0.7),
  /** False discovery rate of the flags in reference mode. */
  fdr: z.number().gt(0).lt(1).default(0.05),
  /** Names of the prediction columns in order; by default labels are column numbers, or the sorted label names. */
  classes: z.array(z.string()).min(2).nullable().default(null),
  /** Records of the sample on which the model is chosen and calibrated. */
  sample: z.int().min(200).max(100_000).default(5000),
})
export type LabelFlipOptions = z.infer<typeof labelFlipOptions>
