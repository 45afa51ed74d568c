import type { Batch } from '../../src/contracts/data.ts';
import type { Conclusion, Detector, Scored, Setup, Threshold } from '../../src/contracts/detector.ts';
export declare const seed: Buffer<ArrayBuffer>;
export interface Fitted {
    readonly scored: readonly Scored[];
    readonly scores: readonly number[];
    readonly flagged: readonly boolean[];
    readonly thresholds: readonly Threshold[];
    readonly conclusion: Conclusion;
}
/**
 * A detector's whole life on batches in memory: statistics, scores, tally, decision, conclusion. Detectors that share `summaries` on
 * the same batches share their statistics.
 */
export declare function fitDetector(detector: Detector, given: unknown, setup: Setup, subject: readonly Batch[], reference?: readonly Batch[], summaries?: Map<string, unknown>): Promise<Fitted>;
