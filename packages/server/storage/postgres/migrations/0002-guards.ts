import { enableAlways } from './enable-always.ts'
import type { Migration } from './migration.ts'

/**
 * Triggers that make the database itself refuse what must never happen. Deletion is refused for the statement, since
 * TRUNCATE has no rows. Each function keeps the search path it was made with.
 */
export const guards: Migration = {
  version: 2,
  name: 'guards',
  sql: `
CREATE FUNCTION installation_once() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM installation) THEN
    RAISE EXCEPTION 'there is one installation, written once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER installation_once BEFORE INSERT ON installation FOR EACH ROW EXECUTE FUNCTION installation_once();

CREATE FUNCTION installation_fixed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.id IS DISTINCT FROM OLD.id OR NEW.issuer IS DISTINCT FROM OLD.issuer OR NEW.epoch IS DISTINCT FROM OLD.epoch THEN
    RAISE EXCEPTION 'issuer and epoch of the installation never change';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER installation_fixed BEFORE UPDATE ON installation FOR EACH ROW EXECUTE FUNCTION installation_fixed();

CREATE FUNCTION installation_kept() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'the installation is never deleted';
END $$;
CREATE TRIGGER installation_kept BEFORE DELETE OR TRUNCATE ON installation EXECUTE FUNCTION installation_kept();

-- The log: dense, chained, append-only. Appending is what moves the head.

CREATE FUNCTION log_continues() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM log_head WHERE seq = NEW.seq - 1 AND hash = NEW.prev_hash) THEN
    RAISE EXCEPTION 'an entry must continue the head of the revocation log';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER log_continues BEFORE INSERT ON revocation_log FOR EACH ROW EXECUTE FUNCTION log_continues();

CREATE FUNCTION log_moves_head() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  UPDATE log_head SET seq = NEW.seq, hash = NEW.hash;
  RETURN NEW;
END $$;
CREATE TRIGGER log_moves_head AFTER INSERT ON revocation_log FOR EACH ROW EXECUTE FUNCTION log_moves_head();

CREATE FUNCTION log_unchanged() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'an entry of the revocation log never changes';
END $$;
CREATE TRIGGER log_unchanged BEFORE UPDATE ON revocation_log FOR EACH ROW EXECUTE FUNCTION log_unchanged();

CREATE FUNCTION log_kept() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'an entry of the revocation log is never deleted';
END $$;
CREATE TRIGGER log_kept BEFORE DELETE OR TRUNCATE ON revocation_log EXECUTE FUNCTION log_kept();

CREATE FUNCTION head_once() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM log_head) OR EXISTS (SELECT 1 FROM revocation_log) OR NEW.seq <> 0 THEN
    RAISE EXCEPTION 'the revocation log has one head, which starts at 0';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER head_once BEFORE INSERT ON log_head FOR EACH ROW EXECUTE FUNCTION head_once();

CREATE FUNCTION head_follows_log() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.id IS DISTINCT FROM OLD.id OR NEW.epoch IS DISTINCT FROM OLD.epoch OR NEW.seq <> OLD.seq + 1 OR NOT EXISTS (
    SELECT 1 FROM revocation_log WHERE seq = NEW.seq AND hash = NEW.hash AND prev_hash = OLD.hash
    ) THEN
    RAISE EXCEPTION 'the head of the revocation log moves only to the entry that continues it';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER head_follows_log BEFORE UPDATE ON log_head FOR EACH ROW EXECUTE FUNCTION head_follows_log();

CREATE FUNCTION head_kept() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'the head of the revocation log is never deleted';
END $$;
CREATE TRIGGER head_kept BEFORE DELETE OR TRUNCATE ON log_head EXECUTE FUNCTION head_kept();

-- Indexes are used once.

CREATE FUNCTION counter_once() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM idx_counter) THEN
    RAISE EXCEPTION 'there is one index counter';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER counter_once BEFORE INSERT ON idx_counter FOR EACH ROW EXECUTE FUNCTION counter_once();

CREATE FUNCTION counter_forward() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.id IS DISTINCT FROM OLD.id OR NEW.next_idx < OLD.next_idx THEN
    RAISE EXCEPTION 'the index counter never goes backwards';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER counter_forward BEFORE UPDATE ON idx_counter FOR EACH ROW EXECUTE FUNCTION counter_forward();

CREATE FUNCTION counter_kept() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'the index counter is never deleted';
END $$;
CREATE TRIGGER counter_kept BEFORE DELETE OR TRUNCATE ON idx_counter EXECUTE FUNCTION counter_kept();

-- Tokens: identity fixed at birth, revocation final.

CREATE FUNCTION token_new() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM tokens WHERE idx = NEW.idx)
    OR EXISTS (SELECT 1 FROM tokens WHERE id = NEW.id)
    OR EXISTS (SELECT 1 FROM tokens WHERE jti = NEW.jti) THEN
    RAISE EXCEPTION 'idx, id and jti of a token are used once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER token_new BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION token_new();

CREATE FUNCTION token_idx_taken() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.idx < 0 OR NEW.idx >= (SELECT next_idx FROM idx_counter) THEN
    RAISE EXCEPTION 'the idx of a token must be taken from the counter';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER token_idx_taken AFTER INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION token_idx_taken();

CREATE FUNCTION token_born_alive() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.revoked_seq IS NOT NULL THEN
    RAISE EXCEPTION 'a token is revoked through the revocation log only';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER token_born_alive BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION token_born_alive();

CREATE FUNCTION token_kept() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'a token is never deleted';
END $$;
CREATE TRIGGER token_kept BEFORE DELETE OR TRUNCATE ON tokens EXECUTE FUNCTION token_kept();

CREATE FUNCTION token_identity() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.idx IS DISTINCT FROM OLD.idx OR NEW.id IS DISTINCT FROM OLD.id OR NEW.jti IS DISTINCT FROM OLD.jti
    OR NEW.business_id IS DISTINCT FROM OLD.business_id OR NEW.user_id IS DISTINCT FROM OLD.user_id OR NEW.kid IS DISTINCT FROM OLD.kid
    OR NEW.scopes IS DISTINCT FROM OLD.scopes OR NEW.created_at_ms IS DISTINCT FROM OLD.created_at_ms
    OR NEW.expires_at_ms IS DISTINCT FROM OLD.expires_at_ms OR NEW.issued_by IS DISTINCT FROM OLD.issued_by THEN
    RAISE EXCEPTION 'what a token is and may do never changes';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER token_identity BEFORE UPDATE ON tokens FOR EACH ROW EXECUTE FUNCTION token_identity();

CREATE FUNCTION token_revocation_final() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF OLD.revoked_seq IS NOT NULL AND (
    NEW.revoked_seq IS DISTINCT FROM OLD.revoked_seq OR NEW.revoked_at_ms IS DISTINCT FROM OLD.revoked_at_ms
    OR (NEW.revoked_by IS NOT NULL AND NEW.revoked_by IS DISTINCT FROM OLD.revoked_by)
    OR (NEW.revocation_reason IS NOT NULL AND NEW.revocation_reason IS DISTINCT FROM OLD.revocation_reason)
    ) THEN
    RAISE EXCEPTION 'the revocation of a token never changes; who and why may only be erased';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER token_revocation_final BEFORE UPDATE ON tokens FOR EACH ROW EXECUTE FUNCTION token_revocation_final();

CREATE FUNCTION token_revocation_logged() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF OLD.revoked_seq IS NULL AND NEW.revoked_seq IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM revocation_log
    WHERE seq = NEW.revoked_seq AND body = '["token_revoked",' || NEW.idx || ']'
    ) THEN
    RAISE EXCEPTION 'a token is revoked only by the entry that names it';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER token_revocation_logged BEFORE UPDATE ON tokens FOR EACH ROW EXECUTE FUNCTION token_revocation_logged();

CREATE FUNCTION token_revocation_first() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF OLD.revoked_seq IS NULL AND NEW.revoked_seq IS NOT NULL
    AND (SELECT revoked_seq FROM token_status WHERE idx = OLD.idx) < NEW.revoked_seq THEN
    RAISE EXCEPTION 'the token is already revoked by an earlier entry';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER token_revocation_first BEFORE UPDATE ON tokens FOR EACH ROW EXECUTE FUNCTION token_revocation_first();

-- Bulk revocations: as final, and never beyond what their entry says.

CREATE FUNCTION bulk_once() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bulk_revocations WHERE seq = NEW.seq) THEN
    RAISE EXCEPTION 'an entry makes one bulk revocation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER bulk_once BEFORE INSERT ON bulk_revocations FOR EACH ROW EXECUTE FUNCTION bulk_once();

CREATE FUNCTION bulk_logged() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM revocation_log
    WHERE seq = NEW.seq AND body = CASE NEW.kind
    WHEN 'business' THEN '["business_revoked","' || NEW.business_id || '",' || NEW.before_idx || ']'
    WHEN 'member' THEN '["member_revoked","' || NEW.business_id || '","' || NEW.user_id || '",' || NEW.before_idx || ']'
    WHEN 'key' THEN '["key_retired","' || NEW.kid || '"]'
    END
    ) THEN
    RAISE EXCEPTION 'a bulk revocation must say what its entry says';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER bulk_logged BEFORE INSERT ON bulk_revocations FOR EACH ROW EXECUTE FUNCTION bulk_logged();

CREATE FUNCTION bulk_within_counter() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.before_idx > (SELECT next_idx FROM idx_counter) THEN
    RAISE EXCEPTION 'a bulk revocation ends only tokens that exist';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER bulk_within_counter BEFORE INSERT ON bulk_revocations FOR EACH ROW EXECUTE FUNCTION bulk_within_counter();

CREATE FUNCTION bulk_final() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.seq IS DISTINCT FROM OLD.seq OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.business_id IS DISTINCT FROM OLD.business_id
    OR NEW.user_id IS DISTINCT FROM OLD.user_id OR NEW.kid IS DISTINCT FROM OLD.kid OR NEW.before_idx IS DISTINCT FROM OLD.before_idx
    OR NEW.revoked_at_ms IS DISTINCT FROM OLD.revoked_at_ms
    OR (NEW.revoked_by IS NOT NULL AND NEW.revoked_by IS DISTINCT FROM OLD.revoked_by)
    OR (NEW.revocation_reason IS NOT NULL AND NEW.revocation_reason IS DISTINCT FROM OLD.revocation_reason) THEN
    RAISE EXCEPTION 'a bulk revocation never changes; who and why may only be erased';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER bulk_final BEFORE UPDATE ON bulk_revocations FOR EACH ROW EXECUTE FUNCTION bulk_final();

CREATE FUNCTION bulk_kept() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'a bulk revocation is never deleted';
END $$;
CREATE TRIGGER bulk_kept BEFORE DELETE OR TRUNCATE ON bulk_revocations EXECUTE FUNCTION bulk_kept();

-- Signing keys: added, retired once, kept.

CREATE FUNCTION key_once() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM signing_keys WHERE ordinal = NEW.ordinal OR kid = NEW.kid) THEN
    RAISE EXCEPTION 'a signing key is added once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER key_once BEFORE INSERT ON signing_keys FOR EACH ROW EXECUTE FUNCTION key_once();

CREATE FUNCTION key_fixed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF NEW.ordinal IS DISTINCT FROM OLD.ordinal OR NEW.kid IS DISTINCT FROM OLD.kid OR NEW.jwk IS DISTINCT FROM OLD.jwk
    OR NEW.sealed_private_key IS DISTINCT FROM OLD.sealed_private_key OR NEW.created_at_ms IS DISTINCT FROM OLD.created_at_ms
    OR (OLD.retired_at_ms IS NOT NULL AND NEW.retired_at_ms IS DISTINCT FROM OLD.retired_at_ms) THEN
    RAISE EXCEPTION 'a signing key never changes and is retired once, for good';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER key_fixed BEFORE UPDATE ON signing_keys FOR EACH ROW EXECUTE FUNCTION key_fixed();

CREATE FUNCTION key_kept() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'a signing key is never deleted';
END $$;
CREATE TRIGGER key_kept BEFORE DELETE OR TRUNCATE ON signing_keys EXECUTE FUNCTION key_kept();

-- The audit trail only grows.

CREATE FUNCTION audit_once() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id) THEN
    RAISE EXCEPTION 'an audit event is written once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER audit_once BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_once();

CREATE FUNCTION audit_unchanged() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'an audit event never changes';
END $$;
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_unchanged();

CREATE FUNCTION audit_kept() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION 'an audit event is never deleted';
END $$;
CREATE TRIGGER audit_kept BEFORE DELETE OR TRUNCATE ON audit_events EXECUTE FUNCTION audit_kept();
${enableAlways}`,
}
