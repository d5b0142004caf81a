import { enableAlways } from './enable-always.ts'
import type { Migration } from './migration.ts'

/**
 * A log can go on under another epoch. The head names it from the entry on that opens it, and only that entry can make it
 * do so; it knows of no tokens but those that exist.
 */
export const epochs: Migration = {
  version: 4,
  name: 'epochs',
  sql: `
CREATE FUNCTION epoch_after(epoch TEXT, kind TEXT, body TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE kind WHEN 'epoch_opened' THEN body::jsonb ->> 1 ELSE epoch END
$$;

CREATE OR REPLACE FUNCTION log_moves_head() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE log_head SET seq = NEW.seq, hash = NEW.hash, epoch = epoch_after(epoch, NEW.kind, NEW.body);
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION head_follows_log() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.id IS DISTINCT FROM OLD.id OR NEW.seq <> OLD.seq + 1 OR NOT EXISTS (
    SELECT 1 FROM revocation_log AS log WHERE log.seq = NEW.seq AND log.hash = NEW.hash AND log.prev_hash = OLD.hash
      AND NEW.epoch IS NOT DISTINCT FROM epoch_after(OLD.epoch, log.kind, log.body)
    ) THEN
    RAISE EXCEPTION 'the head of the revocation log moves only to the entry that continues it';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION epoch_new() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  opened TEXT := NEW.body::jsonb ->> 1;
BEGIN
  IF opened IN (SELECT epoch FROM installation)
    OR opened IN (SELECT body::jsonb ->> 1 FROM revocation_log WHERE kind = 'epoch_opened') THEN
    RAISE EXCEPTION 'an epoch is opened once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER epoch_new BEFORE INSERT ON revocation_log
  FOR EACH ROW WHEN (NEW.kind = 'epoch_opened') EXECUTE FUNCTION epoch_new();

CREATE FUNCTION epoch_within_counter() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.body !~ '^\\["epoch_opened","[^"]+",[0-9]{1,16}\\]$'
    OR (NEW.body::jsonb ->> 2)::bigint > (SELECT next_idx FROM idx_counter) THEN
    RAISE EXCEPTION 'a new epoch knows only of tokens that exist';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER epoch_within_counter BEFORE INSERT ON revocation_log
  FOR EACH ROW WHEN (NEW.kind = 'epoch_opened') EXECUTE FUNCTION epoch_within_counter();
${enableAlways}`,
}
