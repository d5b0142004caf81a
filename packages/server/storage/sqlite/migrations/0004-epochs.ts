import type { Migration } from './migration.ts'

/**
 * A log can go on under another epoch. The head names it from the entry on that opens it, and only that entry can make it
 * do so; it knows of no tokens but those that exist.
 */
export const epochs: Migration = {
  version: 4,
  name: 'epochs',
  sql: `
DROP TRIGGER log_moves_head;
CREATE TRIGGER log_moves_head AFTER INSERT ON revocation_log
BEGIN
  UPDATE log_head SET seq = NEW.seq, hash = NEW.hash,
    epoch = CASE NEW.kind WHEN 'epoch_opened' THEN json_extract(NEW.body, '$[1]') ELSE epoch END;
END;

DROP TRIGGER head_follows_log;
CREATE TRIGGER head_follows_log BEFORE UPDATE ON log_head
WHEN NEW.id IS NOT OLD.id OR NEW.seq <> OLD.seq + 1 OR NOT EXISTS (
  SELECT 1 FROM revocation_log WHERE seq = NEW.seq AND hash = NEW.hash AND prev_hash = OLD.hash
    AND NEW.epoch IS CASE kind WHEN 'epoch_opened' THEN json_extract(body, '$[1]') ELSE OLD.epoch END
)
BEGIN SELECT RAISE(ABORT, 'the head of the revocation log moves only to the entry that continues it'); END;

CREATE TRIGGER epoch_new BEFORE INSERT ON revocation_log
WHEN NEW.kind = 'epoch_opened' AND (
  json_extract(NEW.body, '$[1]') IN (SELECT epoch FROM installation)
  OR json_extract(NEW.body, '$[1]') IN (
    SELECT json_extract(body, '$[1]') FROM revocation_log WHERE kind = 'epoch_opened'
  )
)
BEGIN SELECT RAISE(ABORT, 'an epoch is opened once'); END;

CREATE TRIGGER epoch_within_counter BEFORE INSERT ON revocation_log
WHEN NEW.kind = 'epoch_opened' AND (
  NEW.body IS NOT json_array(NEW.kind, json_extract(NEW.body, '$[1]'), json_extract(NEW.body, '$[2]'))
  OR typeof(json_extract(NEW.body, '$[1]')) IS NOT 'text'
  OR typeof(json_extract(NEW.body, '$[2]')) IS NOT 'integer'
  OR json_extract(NEW.body, '$[2]') > (SELECT next_idx FROM idx_counter)
)
BEGIN SELECT RAISE(ABORT, 'a new epoch knows only of tokens that exist'); END;
`,
}
