export const schemaVersion = 1

/** Of every history, in SQL that DuckDB and PostgreSQL share. Never altered: another version is another schema. */
export const tables: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS assay_history (version INTEGER NOT NULL)',
  `CREATE TABLE IF NOT EXISTS assay_runs (
    run TEXT PRIMARY KEY, digest TEXT NOT NULL, subject TEXT NOT NULL, started_at TEXT NOT NULL,
    is_whole BOOLEAN NOT NULL, is_fresh BOOLEAN NOT NULL, verdict TEXT NOT NULL, exit_code INTEGER NOT NULL,
    rows_read BIGINT NOT NULL, rows_flagged BIGINT NOT NULL, tool TEXT NOT NULL, plan TEXT NOT NULL,
    root_before TEXT, root_after TEXT, sensitivity TEXT)`,
  `CREATE TABLE IF NOT EXISTS assay_findings (
    run TEXT NOT NULL, fingerprint TEXT NOT NULL, rule TEXT NOT NULL, severity TEXT NOT NULL, status TEXT NOT NULL,
    scope TEXT NOT NULL, records BIGINT NOT NULL, message TEXT NOT NULL, p DOUBLE PRECISION)`,
  `CREATE TABLE IF NOT EXISTS assay_counts (
    run TEXT NOT NULL, axis TEXT NOT NULL, name TEXT NOT NULL, records BIGINT NOT NULL, flagged BIGINT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS assay_changes (
    run TEXT NOT NULL, axis TEXT NOT NULL, name TEXT NOT NULL, other TEXT NOT NULL, records BIGINT NOT NULL, relabelled BIGINT NOT NULL)`,
]
