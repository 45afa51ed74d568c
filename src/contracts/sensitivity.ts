import type { Incomplete } from './outcome.ts'

/** `sensitivity:` of the pipeline file: known attacks that are tried on the audited records themselves. */
export interface SensitivitySpec {
  /** Shares of the records, 0..1, ascending. */
  readonly rates: readonly number[]
  /** The rate, one of `rates`, that an attack has to be found at: below half of its records it is a blind spot. */
  readonly rate: number
  /** Least repetitions, each with other records, another trigger and another target. */
  readonly seeds: number
  /** More of them are tried until the interval of the recall reaches no further than this to either side; 1: none. */
  readonly precision: number
  /** Most records that an attack is tried on. */
  readonly sample: number
  readonly budgetSeconds: number
  /** Null: every attack that applies. */
  readonly attacks: readonly string[] | null
}

/** One attack at one rate under one seed. */
export interface SensitivityTrial {
  readonly attack: string
  readonly rate: number
  readonly seed: number
  /** Records in memory. */
  readonly rows: number
  /** Records that were changed. */
  readonly carriers: number
  /** Carriers that some detector flagged. */
  readonly found: number
  readonly foundBy: { readonly [detector: string]: number }
  /** Rule and scope of findings of medium severity or above, which `namesOf` made. */
  readonly findings: readonly string[]
  /** Why it could not be tried here; null where it was. */
  readonly reason: string | null
  /** What went wrong while it was tried. */
  readonly failure: Incomplete | null
}

export interface SensitivityRate {
  readonly rate: number
  /** Records changed in each trial. */
  readonly carriers: number
  readonly trials: number
  /** Mean share of the carriers that were flagged, 0..1. */
  readonly recall: number
  /** 95 % interval of the mean over trials: records that share a trigger are not independent. Null with one trial. */
  readonly low: number | null
  readonly high: number | null
  /** Trials with a finding of medium severity or above that the data without the attack do not give. */
  readonly alarmed: number
}

export interface AttackSensitivity {
  readonly attack: string
  readonly title: string
  readonly family: 'label' | 'image' | 'tabular' | 'text'
  /** Detectors that read what the attack changes, those that flagged most carriers first. */
  readonly detectors: readonly string[]
  /** Ascending; without the rates that the time did not suffice for. */
  readonly rates: readonly SensitivityRate[]
  /** The smallest rate with a recall of .9 there and at all higher rates that were measured; null: none. */
  readonly smallestRate: number | null
  /** Why nothing was measured; null where something was. */
  readonly reason: string | null
}

export interface SensitivityOutcome {
  readonly spec: SensitivitySpec
  /** Records that the attacks were tried on, and of how many. */
  readonly rows: number
  readonly of: number
  /** Trials that the time did not suffice for. */
  readonly skipped: number
  readonly attacks: readonly AttackSensitivity[]
}
