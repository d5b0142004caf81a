import type { Migration } from './migration.ts'

/** The head takes another epoch with the entry that opens it, and with no other. */
export const epochs: Migration = {
  version: 4,
  name: 'epochs',
  sql: `
DROP TRIGGER log_moves_head;
DROP TRIGGER head_follows_log;

CREATE TRIGGER log_moves_head AFTER INSERT ON revocation_log
BEGIN
  UPDATE log_head SET seq = NEW.seq, hash = NEW.hash,
    epoch = CASE NEW.kind WHEN 'epoch_opened' THEN json_extract(NEW.body, '$[1]') ELSE epoch END;
END;

CREATE TRIGGER head_follows_log BEFORE UPDATE ON log_head
WHEN NEW.id IS NOT OLD.id OR NEW.seq <> OLD.seq + 1 OR NOT EXISTS (
  SELECT 1 FROM revocation_log
  WHERE seq = NEW.seq AND hash = NEW.hash AND prev_hash = OLD.hash
    AND NEW.epoch = CASE kind WHEN 'epoch_opened' THEN json_extract(body, '$[1]') ELSE OLD.epoch END
)
BEGIN SELECT RAISE(ABORT, 'the head of the revocation log moves only to the entry that continues it'); END;

CREATE TRIGGER epoch_new BEFORE INSERT ON revocation_log
WHEN NEW.kind = 'epoch_opened' AND (
  json_extract(NEW.body, '$[1]') IN (SELECT epoch FROM installation)
  OR json_extract(NEW.body, '$[1]') IN (SELECT json_extract(body, '$[1]') FROM revocation_log WHERE kind = 'epoch_opened')
  OR json_extract(NEW.body, '$[2]') > (SELECT next_idx FROM idx_counter)
)
BEGIN SELECT RAISE(ABORT, 'an epoch is opened once, and ends the one before at an index that was reached'); END;

CREATE INDEX epochs_opened ON revocation_log (seq) WHERE kind = 'epoch_opened';
`,
}
