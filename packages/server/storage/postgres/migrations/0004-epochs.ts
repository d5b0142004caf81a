import { enableAlways } from './enable-always.ts'
import type { Migration } from './migration.ts'

/** The head takes another epoch with the entry that opens it, and with no other. */
export const epochs: Migration = {
  version: 4,
  name: 'epochs',
  sql: `
CREATE OR REPLACE FUNCTION log_moves_head() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE log_head SET seq = NEW.seq, hash = NEW.hash,
    epoch = CASE NEW.kind WHEN 'epoch_opened' THEN NEW.body::json ->> 1 ELSE epoch END;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION head_follows_log() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.id IS DISTINCT FROM OLD.id OR NEW.seq <> OLD.seq + 1 OR NOT EXISTS (
    SELECT 1 FROM revocation_log
    WHERE seq = NEW.seq AND hash = NEW.hash AND prev_hash = OLD.hash
      AND NEW.epoch = CASE kind WHEN 'epoch_opened' THEN body::json ->> 1 ELSE OLD.epoch END
  ) THEN
    RAISE EXCEPTION 'the head of the revocation log moves only to the entry that continues it';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION epoch_new() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.kind = 'epoch_opened' AND (
    NEW.body::json ->> 1 IN (SELECT epoch FROM installation)
    OR NEW.body::json ->> 1 IN (SELECT body::json ->> 1 FROM revocation_log WHERE kind = 'epoch_opened')
    OR (NEW.body::json ->> 2)::bigint > (SELECT next_idx FROM idx_counter)
  ) THEN
    RAISE EXCEPTION 'an epoch is opened once, and ends the one before at an index that was reached';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER epoch_new BEFORE INSERT ON revocation_log FOR EACH ROW EXECUTE FUNCTION epoch_new();

CREATE INDEX epochs_opened ON revocation_log (seq) WHERE kind = 'epoch_opened';
${enableAlways}`,
}
